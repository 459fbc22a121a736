import { HknockError } from '../../errors/hknock-error.ts';
import type { ServiceName } from '../../units/names.ts';
import type { ServicePort } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import { hasFlags, SYN_FLAGS, type TcpFlags } from '../../units/tcp-flags.ts';
import {
  type Action,
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

export interface FixedSettings {
  readonly service: ServiceName;
  /** What each sequence of ports does; none of them is the end of another. */
  readonly open: readonly ServicePort[];
  readonly close: readonly ServicePort[] | null;
  readonly ban: readonly ServicePort[] | null;
  readonly seqTimeoutMs: DurationMs | null;
  readonly lifetimeMs: DurationMs | null;
  readonly banMs: DurationMs;
  /** Which TCP segments count; null for those that begin a connection. */
  readonly flags: TcpFlags | null;
}

/** The ports of all sequences, each once. */
export function fixedPorts({ open, close, ban, flags }: FixedSettings): readonly WatchedPorts[] {
  const all = [...open, ...(close ?? []), ...(ban ?? [])];
  return portsOfHits(all).map((each) => ({ ...each, ...(flags && { flags }) }));
}

/**
 * Fixed mapping (M. Krzywinski, "Port Knocking", Linux Journal, 2003, first example; knockd): each action has a sequence of ports
 * that never changes (sequence-fixed.md).
 */
export class FixedScheme implements Scheme {
  readonly name: string;
  readonly fallsTo: string;
  readonly watched: readonly WatchedPorts[];
  readonly windowMs?: DurationMs;
  readonly #settings: FixedSettings;
  readonly #context: SchemeContext;

  constructor(settings: FixedSettings, context: SchemeContext) {
    this.#settings = settings;
    this.#context = context;
    this.name = context.name;
    this.fallsTo = fallsTo(settings);
    this.watched = fixedPorts(settings);
    if (settings.seqTimeoutMs !== null) this.windowMs = settings.seqTimeoutMs;
  }

  judge(trail: readonly Heard[]): Verdict | null {
    const { service, lifetimeMs } = this.#settings;
    for (const { ports, action } of actionsOf(this.#settings)) {
      const used = lastSequence(trail, this.watched, ports);
      if (used === null) continue;
      const { peer } = this.#context;
      return { action, peer, service, ...(lifetimeMs !== null && { lifetimeMs }), used };
    }
    return null;
  }
}

/**
 * What a client sends.
 * @throws {HknockError} `usage` when there is no sequence for what it wants, or one that takes other segments than a client sends
 */
export function fixedHits(settings: FixedSettings, call: Call): readonly Hit[] {
  if (saysMore(call)) {
    throw new HknockError('usage', 'a fixed sequence says neither port nor address nor time');
  }
  const { flags } = settings;
  if (flags !== null && !hasFlags(SYN_FLAGS.value, flags)) {
    throw new HknockError('usage', 'this scheme takes other TCP segments than SYNs', {
      hint: 'send them with a program that can, such as nmap or hping3',
    });
  }
  const hits = settings[call.action];
  if (hits !== null) return hits;
  throw new HknockError('usage', `this scheme has no sequence for '${call.action}'`);
}

function actionsOf({ open, close, ban, banMs }: FixedSettings) {
  const actions: { readonly ports: readonly ServicePort[]; readonly action: Action }[] = [
    { ports: open, action: { kind: 'open' } },
  ];
  if (close !== null) actions.push({ ports: close, action: { kind: 'close' } });
  if (ban !== null) actions.push({ ports: ban, action: { kind: 'ban', banMs } });
  return actions;
}

function fallsTo(settings: FixedSettings): string {
  const scan = isAscending(settings.open.map(({ port }) => port))
    ? '; {B1} who scans all ports in ascending order, as the sequence is'
    : '';
  return `{A1} who records it once and sends it from any address, as long as it is not changed; {B2} the same; {A3} who breaks each attempt by packets to its ports in the client's name; a neighbour behind the same NAT who connects first${scan}`;
}

/** Whether ports come in the order in which a scan meets them. */
export function isAscending(ports: readonly number[]): boolean {
  return ports.every((port, at) => at === 0 || port > (ports[at - 1] ?? 0));
}
