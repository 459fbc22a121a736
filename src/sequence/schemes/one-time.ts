import { ascii } from '../../bytes/bytes.ts';
import { Mac } from '../../crypto/mac.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import type { ServiceName } from '../../units/names.ts';
import type { Port, PortRange } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import {
  type Call,
  type Hit,
  lastKnocks,
  saysMore,
  type Scheme,
  type Verdict,
  type WatchedPorts,
} from '../scheme.ts';
import type { SchemeContext } from '../scheme-context.ts';
import type { Heard } from '../tracker.ts';

export interface OneTimeSettings {
  readonly service: ServiceName;
  /** Those of the sequences, and decoys: a packet to any of them is part of an attempt. */
  readonly ports: PortRange;
  /** All of one length, each good for one knock; the first has the number 1. */
  readonly sequences: readonly (readonly Port[])[];
  /** TCP, where the number of the next sequence is told; null when it is not. */
  readonly numberPort: Port | null;
  readonly lockMs: DurationMs;
  readonly lifetimeMs: DurationMs | null;
}

/** All in the range, by TCP as in the paper. */
export function oneTimePorts({ ports }: OneTimeSettings): readonly WatchedPorts[] {
  return [{ protocol: 'tcp', ...ports }];
}

/** So small a part of a file is little: then it is time for a new one. */
const LITTLE = 1 / 20;

/**
 * A file of sequences for one use each (K. K. Jebaseeli, C. Subha, M. Benaiah Deva Kumar, "Port Knocking"): the one that is next
 * opens, and any other locks its source out (sequence-one-time.md).
 */
export class OneTimeScheme implements Scheme {
  readonly name: string;
  readonly fallsTo: string;
  readonly watched: readonly WatchedPorts[];
  readonly credentials: readonly [string];
  readonly numbers?: NonNullable<Scheme['numbers']>;
  readonly #settings: OneTimeSettings;
  readonly #context: SchemeContext;

  constructor(settings: OneTimeSettings, context: SchemeContext) {
    this.#settings = settings;
    this.#context = context;
    this.name = context.name;
    this.fallsTo = fallsTo(settings);
    this.watched = oneTimePorts(settings);
    this.credentials = [credentialId(settings)];
    const { numberPort: port } = settings;
    if (port !== null)
      this.numbers = { port, tell: () => (this.#left > 0 ? `${String(this.#next)}\n` : '') };
  }

  /** As soon as there are as many packets as a sequence has, they are right or wrong. */
  judge(trail: readonly Heard[]): Verdict | null {
    const { service, sequences, lockMs, lifetimeMs } = this.#settings;
    const used = lastKnocks(trail, this.watched, sequences[0]?.length ?? 0);
    if (used === null) return null;
    const { peer } = this.#context;
    const next = sequences[this.#next - 1];
    if (next === undefined || !used.every(({ port }, at) => port === next[at])) {
      return { action: { kind: 'lock out', lockMs }, peer, service, used };
    }
    const once = { credential: this.credentials[0], step: this.#next };
    const lifetime = lifetimeMs !== null && { lifetimeMs };
    return { action: { kind: 'open' }, peer, service, once, ...lifetime, used };
  }

  readonly concern = (): string | null => {
    const left = this.#left;
    if (left > this.#settings.sequences.length * LITTLE) return null;
    return left === 0
      ? 'all sequences are used up, nobody can knock by them: make a new file'
      : `${String(left)} of ${String(this.#settings.sequences.length)} sequences are left: make a new file`;
  };

  /** The number of the sequence that is next. */
  get #next(): number {
    return (this.#context.latestOf(this.credentials[0]) ?? 0) + 1;
  }

  get #left(): number {
    return Math.max(0, this.#settings.sequences.length + 1 - this.#next);
  }
}

/**
 * What a client sends.
 * @throws {HknockError} `usage` when it does not say the number of a sequence, or says anything else
 */
export function oneTimeHits({ sequences }: OneTimeSettings, call: Call): readonly Hit[] {
  if (call.action !== 'open' || saysMore(call)) {
    throw new HknockError(
      'usage',
      'this scheme can open only, and says neither port nor address nor time',
    );
  }
  const { number } = call;
  const hits = number === undefined ? undefined : sequences[number - 1];
  if (hits !== undefined) return hits.map((each) => ({ protocol: 'tcp', port: each }));
  const last = String(sequences.length);
  throw new HknockError('usage', `the number of a sequence is missing, or none of 1 to ${last}`, {
    hint: 'the server says it where the file has a number_port; otherwise: --number N',
  });
}

// of the sequences and nothing else: with other words around them they have been used all the same
function credentialId({ sequences }: OneTimeSettings): string {
  const text = sequences.map((ports) => ports.join(',')).join('\n');
  const mac = new Mac(ascii('hknock/1 one-time sequences')).of(ascii(text));
  return Buffer.from(mac.subarray(0, 8)).toString('hex');
}

function fallsTo({ numberPort }: OneTimeSettings): string {
  const number =
    numberPort === null
      ? ''
      : '; {A1,A2} who tells a client a later number in the server’s place, and keeps what it sends for its time; {B1} who learns from the number port that knocks are taken here';
  return `{A1,A2} who keeps a sequence back and sends it from its own address; {A3} who locks a client out by wrong packets in its name; {B2} until the file is changed; a neighbour behind the same NAT who connects first, or locks the others out${number}`;
}
