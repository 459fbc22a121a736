import { limitKey } from '../bytes/prefix.ts';
import { CERTIFICATE_RESPONSE_LENGTH } from '../certificate/response.ts';
import { type DropReason, dropReasons } from '../errors/drop-reason.ts';
import { WaitingLine } from '../guard/waiting-line.ts';
import type { Judgement, Ticket } from '../handshake/judgement.ts';
import type { LeaseTicket } from '../handshake/leases.ts';
import type { Responder } from '../handshake/responder.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { DatagramSocket } from '../host/datagram-socket.ts';
import type { Log } from '../host/log.ts';
import { type Knock, type Outcome, refuse } from '../units/knock.ts';
import type { LeaseOutcome, LeaseWish } from '../units/lease.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
import type { FloodGate } from './flood-gate.ts';
import { zeroCounts } from './zero-counts.ts';

/** Who judges the datagrams that begin with a tag of his, at once or when work elsewhere is done. Never throws. */
export interface Judge {
  owns(datagram: Uint8Array): boolean;
  receive(datagram: Uint8Array, source: Endpoint, now: MonotonicMs): Judgement | Promise<Judgement>;
  /** The Grant that tells the outcome of a knock. */
  conclude(ticket: Ticket, outcome: Outcome): Uint8Array;
  /** The answer to a Lease; null when there is nobody to be answered any more. */
  concludeLease(ticket: LeaseTicket, outcome: LeaseOutcome): Uint8Array | null;
}

/** The judge that a judgement is of. */
type Concluder = Pick<Judge, 'conclude' | 'concludeLease'>;

export interface KnockPortOptions {
  readonly socket: DatagramSocket;
  readonly responder: Responder;
  /** Decides on verified knocks. */
  readonly admit: (knock: Knock) => Promise<Outcome>;
  /** Chooses when there is more than can be judged; all is judged if not said. */
  readonly flood?: Pick<FloodGate, 'arrived' | 'sent' | 'isOverloaded'>;
  /** Does what the holders of grants want done with them; does not reject. */
  readonly keepLease: (wish: LeaseWish) => Promise<LeaseOutcome>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What has come in, by what became of it. */
export interface KnockCounters {
  readonly drops: Readonly<Record<DropReason, number>>;
  /** Challenges, and Grants sent again. */
  readonly answered: number;
  readonly granted: number;
  readonly refused: number;
  /** Renewals and closings of grants by those who hold them. */
  readonly leases: number;
}

/** Where a datagram came from and which address of ours it was sent to. */
interface Path {
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

/** A Response with a certificate, which lets others go first. */
interface Waiting {
  readonly judge: Judge;
  readonly bytes: Uint8Array;
  readonly path: Path;
}

/** Responses with certificates that may wait under overload, and how many of them are judged at a time: 4000 a second. */
const LINE_CAPACITY = 256;
const AT_A_TIME = 4;

/** The UDP port where knocks come in: runs the responder over a socket. */
export class KnockPort {
  readonly #options: KnockPortOptions;
  readonly #drops = zeroCounts(dropReasons);
  #judges: readonly Judge[] = [];
  readonly #line = new WaitingLine<Waiting>(LINE_CAPACITY);
  #timer: Timer | null = null;
  #answered = 0;
  #granted = 0;
  #refused = 0;
  #leases = 0;

  constructor(options: KnockPortOptions) {
    this.#options = options;
    options.socket.listen((bytes, remote, local) => {
      this.#receive(bytes, remote, local);
    });
  }

  counters(): KnockCounters {
    return {
      drops: { ...this.#drops },
      answered: this.#answered,
      granted: this.#granted,
      refused: this.#refused,
      leases: this.#leases,
    };
  }

  /** Has another judge as well, until that is taken back; all datagrams that are not his are the responder's. */
  addJudge(judge: Judge): { remove: () => void } {
    this.#judges = [...this.#judges, judge];
    return {
      remove: () => {
        this.#judges = this.#judges.filter((each) => each !== judge);
      },
    };
  }

  /** Judges no more of what waits. */
  stop(): void {
    this.#timer?.cancel();
  }

  #receive(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    const { clock, flood, responder } = this.#options;
    const now = clock.monotonicMs();
    flood?.arrived(now);
    const judge = this.#judgeOf(bytes);
    const mayWait = judge !== null && bytes.length === CERTIFICATE_RESPONSE_LENGTH;
    if (mayWait && flood?.isOverloaded === true) {
      this.#wait(judge, bytes, { remote, local });
      return;
    }
    const by = judge ?? responder;
    const judged = by.receive(bytes, remote, now);
    // the way of most that a flood brings: nothing is made on it
    if (!(judged instanceof Promise) && judged.kind === 'drop') this.#drops[judged.reason]++;
    else this.#follow(by, judged, { remote, local });
  }

  // behind whatever the socket still has: it is read between two timers
  #wait(judge: Judge, bytes: Uint8Array, path: Path): void {
    const copy = Uint8Array.from(bytes);
    const source = limitKey(path.remote.address);
    if (this.#line.push(source, { judge, bytes: copy, path }) !== null) this.#drops.overload++;
    this.#timer ??= this.#options.clock.after(1, () => {
      this.#judgeWaiting();
    });
  }

  #judgeWaiting(): void {
    const { clock } = this.#options;
    this.#timer = null;
    for (let i = 0; i < AT_A_TIME; i++) {
      const next = this.#line.shift();
      if (next === null) return;
      const { judge, bytes, path } = next;
      this.#follow(judge, judge.receive(bytes, path.remote, clock.monotonicMs()), path);
    }
    this.#timer = clock.after(1, () => {
      this.#judgeWaiting();
    });
  }

  #follow(judge: Concluder, judged: Judgement | Promise<Judgement>, path: Path): void {
    if (!(judged instanceof Promise)) this.#act(judge, judged, path);
    else {
      void judged.then((each) => {
        this.#act(judge, each, path);
      });
    }
  }

  /** Null: the responder. */
  #judgeOf(bytes: Uint8Array): Judge | null {
    for (const judge of this.#judges) if (judge.owns(bytes)) return judge;
    return null;
  }

  #send(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    this.#options.flood?.sent(bytes, remote);
    this.#options.socket.send(bytes, remote, local);
  }

  #act(judge: Concluder, judged: Judgement, { remote, local }: Path): void {
    switch (judged.kind) {
      case 'drop':
        this.#drops[judged.reason]++;
        return;
      case 'reply':
        this.#answered++;
        this.#send(judged.bytes, remote, local);
        return;
      case 'knock':
        void this.#conclude(judge, judged, local);
        return;
      case 'lease':
        this.#leases++;
        void this.#keepLease(judge, judged, { remote, local });
    }
  }

  async #keepLease(
    judge: Concluder,
    { wish, ticket }: Judgement & { readonly kind: 'lease' },
    { remote, local }: Path,
  ): Promise<void> {
    const { socket, keepLease } = this.#options;
    const answer = judge.concludeLease(ticket, await keepLease(wish));
    if (answer !== null) socket.send(answer, remote, local);
  }

  async #conclude(
    judge: Concluder,
    { knock, ticket }: Judgement & { readonly kind: 'knock' },
    local: Endpoint,
  ): Promise<void> {
    const outcome = await this.#admit(knock);
    if (outcome.kind === 'granted') this.#granted++;
    else this.#refused++;
    this.#send(judge.conclude(ticket, outcome), knock.observed, local);
  }

  // a fault of ours is told to the peer as a refusal: never a false "granted", never a server that is gone
  async #admit(knock: Knock): Promise<Outcome> {
    try {
      return await this.#options.admit(knock);
    } catch (fault) {
      const { peer } = knock;
      this.#options.log.error('knock failed', { peer, fault: String(fault) });
      return refuse('firewall-failed');
    }
  }
}
