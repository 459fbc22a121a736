// Clients behind a NAT, a responder, and a network that does as it is told, all on a virtual clock:
//
//   client 0 (192.168.77.10) --.
//                               NAT 203.0.113.7 ==== fates and intrusions ==== responder
//   client 1 (192.168.77.11) --'
import type { Credential } from '../../src/handshake/credential.ts';
import {
  type InitiatorContext,
  type InitiatorEvent,
  type InitiatorState,
  nextTimerAt,
  start,
  step,
} from '../../src/handshake/initiator.ts';
import type { Ticket } from '../../src/handshake/judgement.ts';
import type { Responder } from '../../src/handshake/responder.ts';
import type { Knock, Outcome } from '../../src/units/knock.ts';
import type { Endpoint } from '../../src/units/network.ts';
import {
  alice,
  at,
  contextOf,
  endpoint,
  granted,
  outside,
  responderOf,
  START,
  wish,
} from './exchange.ts';

/** What the network does to one datagram. */
export interface Fate {
  /** A copy arrives after each of these; none at all is loss. */
  readonly copiesAfterMs: readonly number[];
  /** The NAT has forgotten the client and gives it another port; what is on its way to the old one is lost. */
  readonly rebinds?: boolean;
}

export const ONE_WAY_MS = 5;
export const LOST: Fate = { copiesAfterMs: [] };
export const PERFECT: Fate = { copiesAfterMs: [ONE_WAY_MS] };

/** A datagram that an attacker injects, made out of what was on the wire until then; null when it has nothing to send. */
export interface Intrusion {
  readonly atMs: number;
  readonly to: 'responder' | number;
  /** The source it gives itself; of no use towards a client. */
  readonly from: Endpoint;
  readonly bytes: (seen: readonly Uint8Array[]) => Uint8Array | null;
}

export interface ClientOptions {
  readonly as?: Credential;
  readonly startAtMs?: number;
  /** How long it takes to choose after a Challenge. */
  readonly choiceMs?: number;
  /** How wrong its clock is (P5). */
  readonly clockOffMs?: number;
}

export interface WorldOptions {
  readonly clients?: readonly ClientOptions[];
  /** For the datagrams of clients and responder, in order of sending; the rest arrive at once. */
  readonly fates?: readonly Fate[];
  readonly intrusions?: readonly Intrusion[];
  /** The responder starts anew and has forgotten everything but its peers. */
  readonly restartAtMs?: number | null;
  /** How long policy and firewall take, and what they say of the nth knock. */
  readonly policyMs?: number;
  readonly outcomeOf?: (nth: number) => Outcome;
}

/** A knock that the responder handed to policy. */
export interface Handed {
  readonly knock: Knock;
  readonly ticket: Ticket;
  readonly outcome: Outcome;
}

export interface ClientLife {
  readonly context: InitiatorContext;
  readonly inside: Endpoint;
  readonly options: Required<ClientOptions>;
  state: InitiatorState | null;
  /** Distinct Responses written. */
  readonly responses: Set<string>;
  endedAtMs: number | null;
  timerAtMs: number | null;
}

/** What happened. */
export class World {
  readonly clients: readonly ClientLife[];
  readonly handed: Handed[] = [];
  /** Every datagram that a client or the responder sent. */
  readonly seen: Uint8Array[] = [];
  /** What the responder sent, with the length of what it answered. */
  readonly answers: {
    readonly to: Endpoint;
    readonly length: number;
    readonly askedWith: number;
  }[] = [];
  readonly #options: Required<WorldOptions>;
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #ports = new Map<number, number>();
  #responder: Responder = responderOf();
  #nextPort = 40_000;
  #nowMs = 0;

  private constructor(options: WorldOptions) {
    this.#options = {
      clients: [{}],
      fates: [],
      intrusions: [],
      restartAtMs: null,
      policyMs: 1,
      outcomeOf: () => granted,
      ...options,
    };
    this.clients = this.#options.clients.map(lifeOf);
  }

  /** Lets everything happen that will happen. */
  static run(options: WorldOptions = {}): World {
    const world = new World(options);
    world.#plan();
    world.#run();
    return world;
  }

  #plan(): void {
    this.clients.forEach((client, index) => {
      this.#ports.set(this.#nextPort++, index);
      this.#at(client.options.startAtMs, () => {
        const { state, send } = start(client.context, this.#clockOf(client));
        this.#moved(index, { state, send });
      });
    });
    const { restartAtMs, intrusions } = this.#options;
    if (restartAtMs !== null) {
      this.#at(restartAtMs, () => {
        this.#responder = responderOf({ seed: 1234 });
      });
    }
    for (const { atMs, to, from, bytes } of intrusions) {
      this.#at(atMs, () => {
        const datagram = bytes(this.seen);
        if (datagram === null) return;
        if (to === 'responder') this.#toResponder(datagram, from);
        else this.#toClient(to, datagram);
      });
    }
  }

  #at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, run });
  }

  #run(): void {
    while (this.#events.length > 0) {
      // the earliest, and of several the first that was planned
      const next = this.#events.reduce((a, b) => (b.atMs < a.atMs ? b : a));
      this.#events.splice(this.#events.indexOf(next), 1);
      this.#nowMs = next.atMs;
      next.run();
    }
  }

  #clockOf({ options }: ClientLife) {
    return at(START + this.#nowMs + options.clockOffMs);
  }

  #tell(index: number, event: InitiatorEvent): void {
    const client = this.clients[index];
    if (!client?.state) return;
    const wasRequesting = client.state.kind === 'requesting';
    this.#moved(index, step(client.context, client.state, { event, now: this.#clockOf(client) }));
    if (wasRequesting && client.state.kind === 'challenged') {
      this.#at(this.#nowMs + client.options.choiceMs, () => {
        this.#tell(index, { kind: 'proceed' });
      });
    }
  }

  #moved(index: number, { state, send }: ReturnType<typeof start>): void {
    const client = this.clients[index];
    if (client === undefined) return;
    client.state = state;
    for (const bytes of send) {
      if (bytes.length > 100) client.responses.add(String(bytes));
      this.#fromClient(index, bytes);
    }
    if (state.kind === 'concluded' || state.kind === 'failed') client.endedAtMs ??= this.#nowMs;
    const due = nextTimerAt(state);
    const timerAtMs = due === null ? null : due - START - client.options.clockOffMs;
    if (timerAtMs === null || timerAtMs === client.timerAtMs) return;
    client.timerAtMs = timerAtMs;
    this.#at(timerAtMs, () => {
      this.#tell(index, { kind: 'timer' });
    });
  }

  #fromClient(index: number, bytes: Uint8Array): void {
    const fate = this.#fateOf(bytes);
    if (fate.rebinds === true) this.#rebind(index);
    const port = [...this.#ports].find(([, owner]) => owner === index)?.[0] ?? 0;
    for (const afterMs of fate.copiesAfterMs) {
      this.#at(this.#nowMs + afterMs, () => {
        this.#toResponder(bytes, { ...outside, port });
      });
    }
  }

  #rebind(index: number): void {
    for (const [port, owner] of this.#ports) if (owner === index) this.#ports.delete(port);
    this.#ports.set(this.#nextPort++, index);
  }

  #toResponder(bytes: Uint8Array, from: Endpoint): void {
    const responder = this.#responder;
    const judged = responder.receive(bytes, from, at(START + this.#nowMs));
    if (judged.kind === 'reply') this.#fromResponder(judged.bytes, from, bytes.length);
    if (judged.kind !== 'knock') return;
    const outcome = this.#options.outcomeOf(this.handed.length);
    this.handed.push({ knock: judged.knock, ticket: judged.ticket, outcome });
    this.#at(this.#nowMs + this.#options.policyMs, () => {
      // what a responder was about to say before it was restarted, nobody says
      if (responder !== this.#responder) return;
      const grant = responder.conclude(judged.ticket, outcome);
      this.#fromResponder(grant, judged.ticket.observed, bytes.length);
    });
  }

  #fromResponder(bytes: Uint8Array, to: Endpoint, askedWith: number): void {
    this.answers.push({ to, length: bytes.length, askedWith });
    for (const afterMs of this.#fateOf(bytes).copiesAfterMs) {
      this.#at(this.#nowMs + afterMs, () => {
        const owner = to.address === outside.address ? this.#ports.get(to.port) : undefined;
        if (owner !== undefined) this.#toClient(owner, bytes);
      });
    }
  }

  #toClient(index: number, bytes: Uint8Array): void {
    this.#tell(index, { kind: 'datagram', bytes });
  }

  #fateOf(bytes: Uint8Array): Fate {
    const fate = this.#options.fates[this.seen.length] ?? PERFECT;
    this.seen.push(bytes);
    return fate;
  }
}

function lifeOf(options: ClientOptions, index: number): ClientLife {
  const full = { as: alice, startAtMs: 0, choiceMs: 0, clockOffMs: 0, ...options };
  const inside = endpoint(`192.168.77.${String(10 + index)}`, 51_000);
  const context = contextOf({ as: full.as, wish: { ...wish, claimed: inside }, seed: 50 + index });
  return {
    context,
    inside,
    options: full,
    state: null,
    responses: new Set(),
    endedAtMs: null,
    timerAtMs: null,
  };
}
