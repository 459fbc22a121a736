import { HknockError } from '../../errors/hknock-error.ts';
import type { ServiceName } from '../../units/names.ts';
import type { DurationMs } from '../../units/time.ts';
import { isFrom, type SynSignature } from '../fingerprint.ts';
import {
  type Call,
  type Hit,
  lastSequence,
  portsOfHits,
  saysMore,
  type Scheme,
  type Verdict,
  type WatchedPorts,
} from '../scheme.ts';
import type { SchemeContext } from '../scheme-context.ts';
import type { Heard } from '../tracker.ts';

export interface FwknopSharedSettings {
  readonly service: ServiceName;
  /** By TCP, UDP and ICMP in any mixture. */
  readonly sequence: readonly Hit[];
  /** Between one knock and the next, as the server hears them. */
  readonly minDelayMs: DurationMs | null;
  readonly maxDelayMs: DurationMs | null;
  /** All TCP knocks must come from a system of one of these; null for any. */
  readonly systems: readonly SynSignature[] | null;
  readonly lifetimeMs: DurationMs | null;
}

/** What the sequence has, each once. */
export function fwknopSharedPorts({ sequence }: FwknopSharedSettings): readonly WatchedPorts[] {
  return portsOfHits(sequence);
}

/**
 * The shared sequence of fwknop (M. Rash, "Combining Port Knocking and Passive OS Fingerprinting with fwknop", ;login:, 2004): it
 * mixes protocols, and time and the sender's TCP stack can be part of it.
 */
export class FwknopSharedScheme implements Scheme {
  readonly name: string;
  readonly fallsTo =
    '{A1} who records it once and sends it from any address, at the same pace and with SYNs like the client’s, as long as it is not changed; {B2} the same; {A3} who breaks each attempt by packets to its ports in the client’s name; a neighbour behind the same NAT who connects first';
  readonly watched: readonly WatchedPorts[];
  readonly windowMs?: DurationMs;
  readonly #settings: FwknopSharedSettings;
  readonly #context: SchemeContext;

  constructor(settings: FwknopSharedSettings, context: SchemeContext) {
    this.#settings = settings;
    this.#context = context;
    this.name = context.name;
    this.watched = fwknopSharedPorts(settings);
    const { sequence, maxDelayMs } = settings;
    if (maxDelayMs !== null) this.windowMs = (sequence.length * maxDelayMs) as DurationMs;
  }

  judge(trail: readonly Heard[]): Verdict | null {
    const { service, sequence, lifetimeMs } = this.#settings;
    const used = lastSequence(trail, this.watched, sequence);
    if (used === null || !this.#isInTime(used) || !this.#isFromSystem(used)) return null;
    const { peer } = this.#context;
    const lifetime = lifetimeMs !== null && { lifetimeMs };
    return { action: { kind: 'open' }, peer, service, ...lifetime, used };
  }

  #isInTime(used: readonly Heard[]): boolean {
    const { minDelayMs, maxDelayMs } = this.#settings;
    return used.slice(1).every(({ at }, index) => {
      const delay = at - (used[index]?.at ?? at);
      return delay >= (minDelayMs ?? 0) && delay <= (maxDelayMs ?? Infinity);
    });
  }

  #isFromSystem(used: readonly Heard[]): boolean {
    const { systems } = this.#settings;
    if (systems === null) return true;
    return used
      .filter(({ protocol }) => protocol === 'tcp')
      .every((knock) => systems.some((each) => isFrom(each, knock)));
  }
}

/** How much later than the least delay a client sends: the way may be shorter for the next packet. */
const MARGIN_MS = 200;

/**
 * What a client sends.
 * @throws {HknockError} `usage` when it wants anything but to open
 */
export function fwknopSharedHits(settings: FwknopSharedSettings, call: Call): readonly Hit[] {
  if (call.action !== 'open' || saysMore(call)) {
    throw new HknockError(
      'usage',
      'a shared sequence can open only, and says neither port nor address nor time',
    );
  }
  const { sequence, minDelayMs } = settings;
  if (minDelayMs === null) return sequence;
  const [first, ...others] = sequence;
  const delayMs = delayOf(settings);
  return [...(first ? [first] : []), ...others.map((hit) => ({ ...hit, delayMs }))];
}

function delayOf({ minDelayMs, maxDelayMs }: FwknopSharedSettings): number {
  const least = minDelayMs ?? 0;
  return Math.min(least + MARGIN_MS, maxDelayMs === null ? Infinity : (least + maxDelayMs) / 2);
}
