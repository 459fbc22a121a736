import { isDeepStrictEqual } from 'node:util';
import { toHex } from '../bytes/bytes.ts';
import { poolOf } from '../bytes/prefix.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import { type Cut, type Door, type Firewall, plainDoor } from '../host/firewall.ts';
import type { Log } from '../host/log.ts';
import type { Plan } from '../policy/policy.ts';
import { isRenewable } from '../units/admission.ts';
import { type Outcome, refuse } from '../units/knock.ts';
import { leaseEnd, type LeaseOutcome } from '../units/lease.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import { includesPort, type IpAddress, type Prefix } from '../units/network.ts';
import { formatDuration, later, type MonotonicMs, type UnixMs } from '../units/time.ts';
import { type Grant, type GrantLimits, LiveGrants } from './live-grants.ts';

export interface GrantsOptions {
  readonly firewall: Firewall;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly limits: GrantLimits;
}

/** A peer whose grants are to end, and with `cut` its connections. */
export interface PeerClosing {
  readonly peer: PeerName;
  readonly cut: boolean;
}

/** A grant on its way into the firewall. */
interface Entry {
  readonly plan: Plan;
  readonly door: Door;
  readonly event: 'granted' | 'renewed' | 'kept';
}

/** Until when flows may keep a grant in force. */
interface Keeping {
  readonly until: MonotonicMs;
  readonly endsAt: MonotonicMs;
}

/** Whether a flow keeps a grant is asked when it has so long to live: the answer may take a while. */
const KEPT_BEFORE_END_MS = 5000;

/** Opens, renews and closes grants, and keeps the firewall in step with them. */
export class Grants {
  readonly #firewall: Firewall;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #log: Log;
  readonly #live: LiveGrants;
  readonly #expiry = new Map<GrantId, Timer>();
  readonly #keepings = new Map<GrantId, Keeping>();

  constructor({ firewall, clock, entropy, log, limits }: GrantsOptions) {
    this.#firewall = firewall;
    this.#clock = clock;
    this.#entropy = entropy;
    this.#log = log;
    this.#live = new LiveGrants(limits);
  }

  /** The grants in force. */
  list(): readonly Grant[] {
    return this.#live.all();
  }

  /**
   * Steps 13 and 14 of wire.md, section 5.1. Resolves when the firewall lets the connection in, or with the reason why it will not.
   * A grant for any number of connections that the peer has already, from the same address, is renewed in place.
   */
  async open(plan: Plan, door: Door = plainDoor): Promise<Outcome> {
    const renewed = isRenewable(plan.admission) ? this.#sameAs(plan) : null;
    if (renewed !== null) return this.#put(renewed.id, { plan, door, event: 'renewed' });
    if (!this.#live.hasRoomFor(plan)) return refuse('limit-reached');
    const id = toHex(this.#entropy.bytes(8)) as GrantId;
    return this.#put(id, { plan, door, event: 'granted' });
  }

  /** Lets a grant live as long again as it was given at first, from now. */
  async renew(id: GrantId): Promise<LeaseOutcome> {
    const grant = this.#live.get(id);
    if (grant === null) return leaseEnd('over');
    if (!isRenewable(grant.admission)) return leaseEnd('refused');
    const outcome = await this.#put(id, { plan: grant, door: plainDoor, event: 'renewed' });
    if (outcome.kind === 'granted') return { status: 'done', lifetimeMs: outcome.lifetimeMs };
    return leaseEnd(outcome.reason === 'service-refused' ? 'over' : 'failed');
  }

  /** The grants that are about to end, and that a flow that lives may keep in force. */
  keepable(): readonly Grant[] {
    const now = this.#clock.monotonicMs();
    return [...this.#keepings].flatMap(([id, { endsAt, until }]) => {
      const grant = this.#live.get(id);
      if (grant === null || later(now, grant.lifetimeMs) > until) return [];
      return endsAt - now <= KEPT_BEFORE_END_MS ? [grant] : [];
    });
  }

  /** Lets a grant live as long again because it is in use; nothing happens when it has ended. */
  async keep(id: GrantId): Promise<void> {
    const grant = this.#live.get(id);
    if (grant !== null) await this.#put(id, { plan: grant, door: plainDoor, event: 'kept' });
  }

  async #put(id: GrantId, { plan, door, event }: Entry): Promise<Outcome> {
    // counted before the firewall has answered, or knocks that come together would all find room
    this.#begin(id, { plan, door, event });
    const closes = event === 'granted' ? [] : [id];
    const opens = [{ grant: id, ...plan, door }];
    const failures = await this.#firewall
      .apply({ opens, closes, cuts: [] })
      .catch((fault: unknown) => {
        this.#end(id);
        throw fault;
      });
    const failure = failures.get(id);
    if (failure !== undefined) {
      this.#end(id);
      this.#log.error('firewall refused', { grant: id, peer: plan.peer, fault: failure.message });
      return refuse(failure.code === 'limit' ? 'limit-reached' : 'firewall-failed');
    }
    // the peer was revoked while the firewall was at work: it has been shut again behind us
    if (this.#live.get(id) === null) return refuse('service-refused');
    // a prefix is for more than one customer of somebody's: the operator is to see it
    this.#log[plan.breadth === undefined ? 'info' : 'warn'](event, told(id, plan));
    return { kind: 'granted', grant: id, ...plan, admissionPort: door.admissionPort };
  }

  /**
   * Ends a grant before its time; with `cut` its peer's connections from that address too. False when there is no such grant.
   * @throws {HknockError} `firewall` or `host` when the firewall did not do all of it
   */
  async close(id: GrantId, options: { readonly cut: boolean }): Promise<boolean> {
    const grant = this.#live.get(id);
    if (grant === null) return false;
    const { peer } = grant;
    await this.#close([grant], options.cut ? [{ peer, source: placeOf(grant) }] : []);
    return true;
  }

  /**
   * Ends a grant that its holder needs no more. One for `once` ends by its time alone while another may be for the same connections:
   * each one's may have used up the other's, and the one that is left is what the other's is about to need (theory.md, "Leases").
   * False when there is no such grant.
   * @throws {HknockError} as `close`
   */
  async release(id: GrantId): Promise<boolean> {
    const grant = this.#live.get(id);
    if (grant !== null && this.#isSharedOnce(grant)) return true;
    return this.close(id, { cut: false });
  }

  /**
   * Ends all grants of some peers; with `cut` their connections too, those of earlier grants included. Gives how many
   * grants it closed.
   * @throws {HknockError} `firewall` or `host` when the firewall did not do all of it; all that it can do is done then
   */
  async closePeers(peers: readonly PeerClosing[]): Promise<number> {
    const grants = peers.flatMap(({ peer }) => this.#live.of(peer));
    const cuts = peers.filter(({ cut }) => cut).map(({ peer }) => ({ peer, source: null }));
    await this.#close(grants, cuts);
    return grants.length;
  }

  /**
   * Ends a peer's grants for a service, or for one port of it, to one address; with `cut` also the peer's connections from there, those of earlier
   * grants included. Gives how many grants it closed.
   * @throws {HknockError} as `closePeers`
   */
  async closeSource(
    { peer, service, source, port }: Pick<Grant, 'peer' | 'service' | 'source' | 'port'>,
    { cut }: { readonly cut: boolean },
  ): Promise<number> {
    const grants = this.#live
      .of(peer)
      .filter((each) => each.service === service && each.source === source)
      .filter(({ ports }) => port === undefined || includesPort(ports, port));
    await this.#close(grants, cut ? [{ peer, source }] : []);
    return grants.length;
  }

  /**
   * Ends the grants that are not allowed any more.
   * @throws {HknockError} as `closePeers`
   */
  closeUnless(isAllowed: (grant: Grant) => boolean): Promise<void> {
    return this.#close(
      this.list().filter((grant) => !isAllowed(grant)),
      [],
    );
  }

  // in one transaction: nobody's grant stays open while the connections of another are looked for
  async #close(grants: readonly Grant[], cut: readonly Cut[]): Promise<void> {
    if (grants.length + cut.length === 0) return;
    const cuts = cut.map(({ peer, source }) => ({ peer, source }));
    for (const { id, peer } of grants) {
      this.#end(id);
      this.#log.info('closed', { grant: id, peer });
    }
    const closes = grants.map(({ id }) => id);
    const failures = await this.#firewall.apply({ opens: [], closes, cuts });
    for (const [id, { message }] of failures) {
      this.#log.error('may be open still', { grant: id, fault: message });
    }
    for (const { peer, source } of cuts) this.#log.info('cut', { peer, source: source ?? 'any' });
    for (const cause of failures.values()) throw notClosed(failures.size, cause);
  }

  #isSharedOnce({ id, source, breadth, admission, ports }: Grant): boolean {
    if (admission !== 'once') return false;
    // a connection from anywhere in the prefix may have used it up; those for one address are always asked before it
    if (breadth !== undefined) return true;
    return this.#live
      .from(source)
      .filter((each) => each.id !== id && each.admission === 'once' && each.breadth === undefined)
      .some((each) => each.ports.some((port) => includesPort(ports, port)));
  }

  #sameAs({ peer, service, source, admission, breadth, ports }: Plan): Grant | null {
    const isSame = (each: Grant): boolean =>
      each.service === service &&
      each.source === source &&
      each.admission === admission &&
      each.breadth === breadth &&
      isDeepStrictEqual(each.ports, ports);
    return this.#live.of(peer).find(isSame) ?? null;
  }

  #begin(id: GrantId, { plan, event }: Entry): void {
    const now = this.#clock.monotonicMs();
    // what a flow keeps is not asked for again by its client: the end of that stays where it is
    const keptUntil = event === 'kept' ? this.#keepings.get(id)?.until : null;
    this.#end(id);
    if (plan.flowKeepMs !== undefined) {
      const until = keptUntil ?? later(now, plan.flowKeepMs);
      this.#keepings.set(id, { until, endsAt: later(now, plan.lifetimeMs) });
    }
    const expiresAt = (this.#clock.unixMs() + plan.lifetimeMs) as UnixMs;
    this.#live.set({ ...plan, id, expiresAt });
    const expire = (): void => {
      this.#end(id);
      this.#log.info('expired', { grant: id, peer: plan.peer });
    };
    this.#expiry.set(id, this.#clock.after(plan.lifetimeMs, expire));
  }

  #end(id: GrantId): void {
    this.#expiry.get(id)?.cancel();
    this.#expiry.delete(id);
    this.#keepings.delete(id);
    this.#live.delete(id);
  }
}

function notClosed(count: number, cause: HknockError): HknockError {
  return new HknockError('firewall', `${String(count)} of the grants may be open still`, {
    hint: `${cause.message}; see the server's log, and 'hknock doctor'`,
    cause,
  });
}

/** From where a grant lets in. */
function placeOf({ source, breadth }: Plan): IpAddress | Prefix {
  return breadth === undefined ? source : poolOf(source);
}

function told(grant: GrantId, plan: Plan) {
  const { peer, service, source, admission, lifetimeMs } = plan;
  const prefix = plan.breadth && { prefix: poolOf(source) };
  return {
    grant,
    peer,
    service,
    source,
    ...prefix,
    admission,
    lifetime: formatDuration(lifetimeMs),
  };
}
