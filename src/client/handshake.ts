import { HknockError } from '../errors/hknock-error.ts';
import {
  type Conclusion,
  type InitiatorContext,
  type InitiatorEvent,
  type InitiatorState,
  type InitiatorStep,
  nextTimerAt,
  start,
  step,
} from '../handshake/initiator.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { DatagramSocket } from '../host/datagram-socket.ts';
import { type Endpoint, formatEndpoint, type IpAddress } from '../units/network.ts';

/** What one handshake runs on. */
export interface HandshakeOptions {
  readonly context: InitiatorContext;
  readonly socket: DatagramSocket;
  readonly remote: Endpoint;
  readonly clock: Clock;
}

/** Both ends of the path that a handshake took. */
export interface Endpoints {
  /** The responder's address that answered. */
  readonly server: IpAddress;
  /** Where the responder sees us. */
  readonly observed: Endpoint;
  /** Where we believe we are. */
  readonly claimed: Endpoint;
  readonly behindNat: boolean;
}

interface Waiter {
  readonly kind: InitiatorState['kind'];
  readonly resolve: (state: InitiatorState) => void;
  readonly reject: (error: HknockError) => void;
}

/** Runs the initiator of `handshake/` over a socket and timers of its own. Owns the socket. */
export class Handshake {
  readonly #options: HandshakeOptions;
  #state: InitiatorState;
  #timer: Timer | null = null;
  #waiter: Waiter | null = null;
  #closed = false;

  /** Sends the Request. */
  constructor(options: HandshakeOptions) {
    this.#options = options;
    const { context, clock, socket } = options;
    socket.listen((bytes) => {
      this.#take({ kind: 'datagram', bytes });
    });
    const first = start(context, clock.monotonicMs());
    this.#state = first.state;
    this.#apply(first);
  }

  /** Both ends of the path, given where the responder sees us. */
  endpoints(observed: Endpoint): Endpoints {
    const { socket, remote } = this.#options;
    const claimed = socket.local[0] ?? observed;
    const behindNat = claimed.address !== observed.address;
    return { server: remote.address, observed, claimed, behindNat };
  }

  /** Where the responder sees us, once it has said so. @throws {HknockError} `no-answer` when it does not */
  async challenged(): Promise<Endpoint> {
    const state = await this.#until('challenged');
    return state.challenges[0].observed;
  }

  /** Answers the challenge and waits for the Grant. @throws {HknockError} `no-answer` when none comes */
  async conclude(): Promise<Conclusion> {
    this.#take({ kind: 'proceed' });
    const state = await this.#until('concluded');
    return state.conclusion;
  }

  /** Forgets the handshake; whoever waits for it is told `no-answer`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#tellWaiter();
    await this.#options.socket.close();
  }

  #take(event: InitiatorEvent): void {
    const { context, clock } = this.#options;
    this.#apply(step(context, this.#state, { event, now: clock.monotonicMs() }));
  }

  #apply({ state, send }: InitiatorStep): void {
    const { socket, remote, clock } = this.#options;
    this.#state = state;
    const [local] = socket.local;
    if (local !== undefined) for (const each of send) socket.send(each, remote, local);
    this.#timer?.cancel();
    const due = nextTimerAt(state);
    this.#timer =
      due === null
        ? null
        : clock.after(due - clock.monotonicMs(), () => {
            this.#take({ kind: 'timer' });
          });
    this.#tellWaiter();
  }

  #until<K extends InitiatorState['kind']>(kind: K): Promise<InitiatorState & { kind: K }> {
    return new Promise((resolve, reject) => {
      this.#waiter = { kind, resolve: resolve as Waiter['resolve'], reject };
      this.#tellWaiter();
    });
  }

  #tellWaiter(): void {
    const state = this.#state;
    if (this.#closed) this.#waiter?.reject(new HknockError('no-answer', 'given up'));
    else if (state.kind === 'failed') this.#waiter?.reject(this.#faultOf(state));
    else if (state.kind === this.#waiter?.kind) this.#waiter.resolve(state);
    else return;
    this.#waiter = null;
  }

  #faultOf(failed: InitiatorState & { kind: 'failed' }): HknockError {
    const remote = formatEndpoint(this.#options.remote);
    switch (failed.reason) {
      case 'no-challenge':
        return new HknockError('no-answer', `no answer from ${remote}`, {
          hint: 'the server is down, its UDP port is filtered on the way, or it does not know this profile (revoked or rotated): a stranger gets no answer',
        });
      case 'no-grant':
        return new HknockError(
          'no-answer',
          `${remote} challenged us but did not answer our proof`,
          {
            hint: 'the network is losing packets, or it gave the answer another public address than the request; try again',
          },
        );
      case 'unexpected-address':
        return unexpected(remote, failed.observed);
    }
  }
}

function unexpected(remote: string, { address }: Endpoint): HknockError {
  return new HknockError(
    'unexpected-address',
    `${remote} sees us at ${address}, where we do not expect to be: perhaps a relay attack`,
    {
      hint: `no proof was sent; if ${address} is an address of your own network, add it to what is expected (expect)`,
    },
  );
}
