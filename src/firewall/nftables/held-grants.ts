import { poolOf } from '../../bytes/prefix.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { Opening } from '../../host/firewall.ts';
import type { GrantId, PeerName } from '../../units/names.ts';
import { formatServicePort, type ServicePort } from '../../units/network.ts';
import { later, type MonotonicMs } from '../../units/time.ts';
import type { Place } from './grant-commands.ts';
import { type KernelAdmission, LANES_PER_PEER } from './layout.ts';
import { markOf } from './marks.ts';

/** An Opening that the kernel can enforce. */
export type KernelOpening = Opening & { readonly admission: KernelAdmission };

/** A grant with its place in the kernel. The kernel may have used it up already. */
export interface Held extends Place {
  readonly grant: GrantId;
  readonly peer: PeerName;
  readonly ports: readonly ServicePort[];
  readonly endsAt: MonotonicMs;
}

/** The kernel counts from when it gets the element, in ticks of its own: a lane is free only when that must be over. */
const SLACK_MS = 1000;

/** For each key, which grant holds it in which lane. */
type Lanes = (Held | undefined)[];

/** Where a grant may go. */
export interface Choice {
  /** The first lane in which no other grant holds a port of this one; null when there is none. */
  readonly free: number | null;
  /** Lanes to be tried when that fails: the kernel may have used up what is in them. */
  readonly others: readonly number[];
  /** Whether the peer has so many lanes that it must make do with these. */
  readonly isPeerFull: boolean;
}

/**
 * Which grants were put where, until their time is over. The kernel's maps hold these elements or fewer, never
 * others; so it is bounded as they are.
 */
export class HeldGrants {
  readonly #clock: Clock;
  readonly #grants = new Map<GrantId, { readonly held: Held; readonly timer: Timer }>();
  readonly #lanes = new Map<string, Lanes>();
  readonly #unclosed = new Set<Held>();
  #turn = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Chooses among so many lanes. A peer that has as many as it may for one of the ports is left with these. */
  choose({ peer, ports, ...opening }: KernelOpening, laneCount: number): Choice {
    const lanes = Array.from({ length: laneCount }, (_, lane) => lane);
    const rows = ports.map((port) => this.#lanes.get(key(opening, port)) ?? []);
    const isOwn = (held: Held | undefined): boolean => held?.peer === peer;
    const full = rows.filter((row) => row.filter(isOwn).length >= LANES_PER_PEER);
    if (full.length > 0) {
      const others = lanes.filter((lane) => full.every((row) => isOwn(row[lane])));
      return { free: null, others, isPeerFull: true };
    }
    const free = lanes.find((lane) => rows.every((row) => row[lane] === undefined)) ?? null;
    return { free, others: lanes, isPeerFull: false };
  }

  /**
   * What the grant would be in a lane; `hold` makes it so. Its mark is not that of a grant that may still stand there:
   * the kernel would take the two for one. There are more turns than a service has ports, so one is free.
   */
  place(opening: KernelOpening, lane: number): Held {
    const { grant, peer, ports, source, breadth, admission, door } = opening;
    const endsAt = later(this.#clock.monotonicMs(), opening.lifetimeMs);
    const there = ports.map((port) => this.#lanes.get(key(opening, port))?.[lane]?.mark);
    let mark: number;
    do mark = markOf(peer, ++this.#turn);
    while (there.includes(mark));
    const place = { source, admission, door, lane, mark, ...(breadth && { breadth }) };
    return { grant, peer, ports, endsAt, ...place };
  }

  /** Notes a grant until its time is over, in place of whoever held its keys. */
  hold(held: Held): void {
    const lifetimeMs = held.endsAt - this.#clock.monotonicMs();
    const timer = this.#clock.after(lifetimeMs + SLACK_MS, () => this.release(held.grant));
    this.#grants.set(held.grant, { held, timer });
    for (const port of held.ports) this.#occupy(held, port);
  }

  /** Forgets a grant. Gives it with those ports that no later grant has taken over; null when it is not known. */
  release(grant: GrantId): Held | null {
    const known = this.#grants.get(grant);
    if (known === undefined) return null;
    known.timer.cancel();
    this.#grants.delete(grant);
    return { ...known.held, ports: this.#vacateAll(known.held) };
  }

  /** Notes that a grant which was released may be open in the kernel still: its lane is not free. */
  noteUnclosed(held: Held): void {
    this.#unclosed.add(held);
    for (const port of held.ports) {
      if (this.#lanes.get(key(held, port))?.[held.lane] === undefined) this.#occupy(held, port);
    }
  }

  /** Forgets what was noted as unclosed; gives it port by port, as far as its time is not over: parts of it may be gone. */
  takeUnclosed(): readonly Held[] {
    const taken = [...this.#unclosed];
    this.#unclosed.clear();
    for (const held of taken) this.#vacateAll(held);
    const nowMs = this.#clock.monotonicMs();
    return taken
      .filter(({ endsAt }) => endsAt + SLACK_MS > nowMs)
      .flatMap((held) => held.ports.map((port) => ({ ...held, ports: [port] })));
  }

  /** Forgets all. */
  clear(): void {
    this.takeUnclosed();
    for (const grant of [...this.#grants.keys()]) this.release(grant);
  }

  all(): readonly Held[] {
    return Array.from(this.#grants.values(), ({ held }) => held);
  }

  #occupy(held: Held, port: ServicePort): void {
    const row = this.#lanes.get(key(held, port)) ?? [];
    row[held.lane] = held;
    this.#lanes.set(key(held, port), row);
  }

  #vacateAll(held: Held): readonly ServicePort[] {
    return held.ports.filter((port) => this.#vacate(held, port));
  }

  #vacate(held: Held, port: ServicePort): boolean {
    const row = this.#lanes.get(key(held, port));
    if (row?.[held.lane] !== held) return false;
    row[held.lane] = undefined;
    if (row.every((each) => each === undefined)) this.#lanes.delete(key(held, port));
    return true;
  }
}

function key(
  { admission, source, breadth, door }: Pick<Held, 'admission' | 'source' | 'breadth' | 'door'>,
  { protocol, port }: ServicePort,
): string {
  const entrance = formatServicePort({ protocol, port: door.admissionPort ?? port });
  const from = breadth === undefined ? source : poolOf(source);
  return `${admission} ${from} ${entrance} ${String(door.initialSequence)}`;
}
