import { type DropReason, dropReasons } from '../errors/drop-reason.ts';
import type { Judgement, Ticket } from '../handshake/judgement.ts';
import type { LeaseTicket } from '../handshake/leases.ts';
import type { Responder } from '../handshake/responder.ts';
import type { Clock } from '../host/clock.ts';
import type { DatagramSocket } from '../host/datagram-socket.ts';
import type { Log } from '../host/log.ts';
import { type Knock, type Outcome, refuse } from '../units/knock.ts';
import type { LeaseOutcome, LeaseWish } from '../units/lease.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';
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

/** The UDP port where knocks come in: runs the responder over a socket. */
export class KnockPort {
  readonly #options: KnockPortOptions;
  readonly #drops = zeroCounts(dropReasons);
  readonly #judges = new Set<Judge>();
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
    this.#judges.add(judge);
    return { remove: () => this.#judges.delete(judge) };
  }

  #receive(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
    const judge = this.#judgeOf(bytes);
    const judged = judge.receive(bytes, remote, this.#options.clock.monotonicMs());
    if (judged instanceof Promise) {
      void judged.then((each) => {
        this.#act(judge, each, { remote, local });
      });
    } else if (judged.kind === 'drop') {
      // the way of most that a flood brings: nothing is made on it
      this.#drops[judged.reason]++;
    } else {
      this.#act(judge, judged, { remote, local });
    }
  }

  #judgeOf(bytes: Uint8Array): Concluder & Pick<Judge, 'receive'> {
    for (const judge of this.#judges) if (judge.owns(bytes)) return judge;
    return this.#options.responder;
  }

  #act(judge: Concluder, judged: Judgement, { remote, local }: Path): void {
    switch (judged.kind) {
      case 'drop':
        this.#drops[judged.reason]++;
        return;
      case 'reply':
        this.#answered++;
        this.#options.socket.send(judged.bytes, remote, local);
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
    this.#options.socket.send(judge.conclude(ticket, outcome), knock.observed, local);
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
