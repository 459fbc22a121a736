import { setTimeout as sleep } from 'node:timers/promises';
import { becomesTrue } from './becomes-true.ts';
import { countArrivals } from './count-arrivals.ts';
import type { Door } from './host-program.ts';
import type { Guessed, Guessing } from './guessing.ts';
import { isAnswer, isKnock, isOfConnection } from './kinds-of-packets.ts';
import { enters, Line } from './line.ts';
import type { Capability } from './model.ts';
import { addresses } from './network.ts';
import { isBetweenTheSame, type Packet } from './packet.ts';
import { type Defence, type Host, SERVICE_PORT, type World } from './scheme.ts';
import { whenQuiet } from './when-quiet.ts';
import { from, type Passed, type Rule, type Wire } from './wire.ts';

/** How long the client waits for its connection. */
const CLIENT_PATIENCE_MS = 6000;

/** How long an attacker goes on trying to connect after his attack, and how often. */
const ATTACKER_PATIENCE_MS = 600;
const TRY_EVERY_MS = 100;

/** A neighbour who wants to be first. */
const NEIGHBOUR_PATIENCE_MS = 20_000;
const RACE_EVERY_MS = 2;

/** Between two packets of a knock that is sent again, as the client itself would leave it. */
const PACE_MS = 15;

export interface SceneParts {
  readonly world: World;
  readonly defence: Defence;
  readonly wire: Wire;
  /** Of these the one from which the attacker connects, if he does. */
  readonly stranger: Host | null;
  readonly neighbour: Host | null;
  readonly can: readonly Capability[];
}

/** Between two handfuls of many packets. */
const TURN_MS = 4;

/** What answers does so by then; and what answers too does not take so much longer. */
const ANSWER_PATIENCE_MS = 10_000;
const STRAGGLERS_MS = 200;

/** The cell was to show something about an attack, and the client without one did not even get in. */
export class ControlFailed extends Error {}

/** A client that knocks, and an attacker who can do what his model lets him, and nothing else. */
export class Scene {
  readonly #parts: SceneParts;
  /** Of SYNs that the attacker has, for the next connections that he makes. */
  #numbers: ReadonlySet<number> = new Set();
  #guessed: Guessed | null = null;
  #example: Promise<readonly Packet[]> | null = null;

  constructor(parts: SceneParts) {
    this.#parts = parts;
  }

  /** The client knocks and connects; its connection. @throws {ControlFailed} when it does not get in */
  async clientEnters(): Promise<Line> {
    const number = await this.clientTries();
    requireIn(number);
    return new Line(this.#parts.world.client, number);
  }

  /** Sees whether the client got in, and has it go; what was opened for it is shut. @throws {ControlFailed} when it did not get in */
  async requireEntered(number: number): Promise<void> {
    requireIn(number);
    await this.#parts.world.client.ask('hangUp', number);
    await this.#parts.defence.endGrants();
  }

  /** The same while it is attacked; 0 when it does not get in. */
  clientTries(withinMs = CLIENT_PATIENCE_MS): Promise<number> {
    return this.#parts.defence.enter(withinMs);
  }

  /** The client knocks and does not connect, whatever comes of it. */
  async clientKnocks(): Promise<void> {
    await this.#parts.defence.knock().catch(() => undefined);
  }

  /** Whether the attacker gets to the service from an address of his own, also by ports that he has seen. */
  async attackerEnters(seen: readonly number[] = []): Promise<boolean> {
    const stranger = this.#host('stranger');
    const numbers = this.#numbers;
    this.#numbers = new Set();
    const [port = SERVICE_PORT] = this.#parts.defence.ports;
    const ways = [...numbers].map((sequence) => ({ address: addresses.server, port, sequence }));
    const found = await Promise.all(ways.map((way) => stranger.ask('enterWithNumber', way)));
    if (found.some((number) => number !== 0)) return true;
    const door = this.#door(ATTACKER_PATIENCE_MS, TRY_EVERY_MS);
    return enters(stranger, { ...door, ports: [...door.ports, ...seen] });
  }

  /** Whether he, or the client without knocking, gets to the service of one of these servers. */
  async anybodyEnters(servers: readonly string[], withinMs: number): Promise<boolean> {
    const door = this.#door(withinMs, TRY_EVERY_MS);
    const tries = [this.#parts.world.client, this.#host('stranger')].flatMap((host) =>
      servers.map((address) => enters(host, { ...door, address })),
    );
    return (await Promise.all(tries)).includes(true);
  }

  /** Whether the neighbour does, who tries all the time until he is in or is stopped. */
  async neighbourEnters(): Promise<boolean> {
    this.#require('neighbour');
    return enters(this.#host('neighbour'), this.#door(NEIGHBOUR_PATIENCE_MS, RACE_EVERY_MS));
  }

  async stopNeighbour(): Promise<void> {
    await this.#host('neighbour').ask('stopTrying', undefined);
  }

  /** The client does not go on to wait for its connection. */
  async stopClient(): Promise<void> {
    await this.#parts.world.client.ask('stopTrying', undefined);
  }

  /** Whether the client does without knocking again. */
  async formerClientEnters(): Promise<boolean> {
    this.#require('former-client');
    return enters(this.#parts.world.client, this.#door(ATTACKER_PATIENCE_MS, TRY_EVERY_MS));
  }

  /** Shuts the client out, where there is a way to. */
  async revokeClient(): Promise<void> {
    this.#require('former-client');
    await this.#parts.defence.revoke?.();
  }

  /** What the client has sent so far by way of knocking, in order. */
  knocks(): readonly Packet[] {
    this.#require('record');
    return this.#knocks();
  }

  /** What the client sends to knock; what that opens is shut again. */
  exampleOfKnock(): Promise<readonly Packet[]> {
    this.#require('spoof');
    this.#example ??= this.#takeExample();
    return this.#example;
  }

  async #takeExample(): Promise<readonly Packet[]> {
    const { wire, defence } = this.#parts;
    const before = wire.passed.length;
    await this.clientKnocks();
    await whenQuiet(wire.passed);
    await defence.endGrants();
    return this.#knocks(before);
  }

  #knocks(since = 0): readonly Packet[] {
    const passed = this.#parts.wire.passed.slice(since).filter(({ side }) => side === 'nat');
    return passed.map(({ packet }) => packet).filter((packet) => this.isKnock(packet));
  }

  /** Whether the server tells its clients what became of their knocks. */
  get isAnswered(): boolean {
    return this.#parts.defence.asksTooMuch !== undefined;
  }

  /** The client asks for more than it may have; whether it believes that it was granted. */
  async clientAsksTooMuch(): Promise<boolean> {
    return (await this.#parts.defence.asksTooMuch?.()) ?? false;
  }

  /** What the server has answered so far, in order. */
  answers(): readonly Packet[] {
    this.#require('record');
    const passed = this.#parts.wire.passed.filter(({ side }) => side === 'server');
    return passed.map(({ packet }) => packet).filter((packet) => this.isAnswer(packet));
  }

  /** Whether a packet is what the server has to say to a knock of the client's. */
  isAnswer(packet: Packet): boolean {
    return packet.destination === this.clientAddress && isAnswer(packet);
  }

  /** What the way of knocking is like. */
  get traits(): Pick<Defence, 'knocksInOne' | 'knocksByConnecting' | 'fleet'> {
    return this.#parts.defence;
  }

  /** Whether a packet is the client's and belongs to its knock, not to its connection. */
  isKnock(packet: Packet): boolean {
    return packet.source === this.clientAddress && isKnock(packet, this.#parts.defence);
  }

  /** Whether it proves something: others an attacker lets through. */
  isProof(packet: Packet): boolean {
    return this.isKnock(packet) && (this.#parts.defence.isProof?.(packet) ?? true);
  }

  /** Whether a packet belongs to a connection of the client's. */
  isOfConnection(packet: Packet): boolean {
    return packet.source === this.clientAddress && isOfConnection(packet, this.#parts.defence);
  }

  get clientAddress(): string {
    return this.#parts.world.clientAddress;
  }

  /** The attacker sends packets from his own address; SYNs that open the service as connections of his own. */
  async sendAsAttacker(packets: readonly Packet[], paceMs = PACE_MS): Promise<void> {
    if (this.traits.knocksByConnecting === true) {
      this.#numbers = new Set(packets.flatMap(({ tcp }) => (tcp === null ? [] : [tcp.sequence])));
      return;
    }
    await this.#send(from(addresses.stranger, packets), paceMs);
  }

  /** The attacker lets packets of the client's through that he has kept back. */
  async letThrough(kept: readonly Packet[]): Promise<void> {
    this.#require('change');
    await this.#send(kept, PACE_MS);
  }

  async #send(packets: readonly Packet[], paceMs: number): Promise<void> {
    for (const packet of packets) {
      await this.#parts.wire.send([packet]);
      if (paceMs > 0) await sleep(paceMs);
    }
  }

  /** The same all at once, and what has come back to that address when it is enough and nothing more comes. */
  async answersTo(
    packets: readonly Packet[],
    isEnough: (answers: readonly Packet[]) => boolean,
  ): Promise<readonly Packet[]> {
    const answers = this.listen();
    await this.#parts.wire.send(from(addresses.stranger, packets));
    await becomesTrue(() => isEnough(answers()), ANSWER_PATIENCE_MS);
    await sleep(STRAGGLERS_MS);
    return answers();
  }

  /** What comes to the attacker's own address from now on. */
  listen(): () => readonly Packet[] {
    const { passed } = this.#parts.wire;
    const before = passed.length;
    const isAnswer = ({ side, packet }: Passed): boolean =>
      side !== 'attacker' && packet.destination === addresses.stranger;
    return () =>
      passed
        .slice(before)
        .filter(isAnswer)
        .map(({ packet }) => packet);
  }

  /** The attacker sends packets from his own address, so many in a second; how long that took in milliseconds. */
  async sendAtRate(packets: readonly Packet[], perSecond: number): Promise<number> {
    const startedAt = performance.now();
    for (let sent = 0; sent < packets.length;) {
      await sleep(TURN_MS);
      const due = Math.ceil(((performance.now() - startedAt) * perSecond) / 1000);
      await this.#parts.wire.send(from(addresses.stranger, packets.slice(sent, due)));
      sent = due;
    }
    return performance.now() - startedAt;
  }

  /** How to guess at the scheme; null where nobody does. */
  get guessing(): Guessing | null {
    return this.#parts.defence.guessing;
  }

  /** Keeps what came of guessing, for the report. */
  note(guessed: Guessed): void {
    this.#guessed = guessed;
  }

  /** Null when nobody has guessed. */
  get guessed(): Guessed | null {
    return this.#guessed;
  }

  /** From now on what the attacker sends, or what comes to his own address, is counted where it comes to; how many have. */
  countAt(host: 'server' | 'stranger'): Promise<() => Promise<number>> {
    return countArrivals(this.#parts.world.network, host);
  }

  /** The attacker decides about each packet that passes. */
  async intercept(rule: Rule): Promise<void> {
    this.#require('change');
    await this.#parts.wire.intercept((packet, side) => {
      const sent = rule(packet, side);
      if (sent.some((each) => !isBetweenTheSame(each, packet))) this.#require('any-address');
      return sent;
    });
  }

  async letPass(): Promise<void> {
    await this.#parts.wire.intercept(null);
  }

  /** The attacker sends packets as if others had. */
  async forge(packets: readonly Packet[]): Promise<void> {
    this.#require('any-address');
    await this.#parts.wire.send(packets);
  }

  /** Right before each packet of the client's knock come packets of the attacker's, who sees nothing: he has the moment by luck. */
  async interrupt(before: (packet: Packet) => readonly Packet[]): Promise<void> {
    this.#require('spoof');
    await this.#parts.wire.intercept((packet) =>
      this.isKnock(packet) ? [...before(packet), packet] : [packet],
    );
  }

  /** The attacker sends packets, whatever their source, over and over. */
  startFlood(packets: readonly Packet[], perSecond: number): void {
    this.#require('spoof');
    this.#parts.wire.startFlood(packets, perSecond);
  }

  async stopFlood(): Promise<void> {
    await this.#parts.wire.stopFlood();
  }

  /** All that the service was told. */
  heardByService(): Promise<string> {
    return this.#parts.world.server.ask('heard', undefined);
  }

  #host(name: 'stranger' | 'neighbour'): Host {
    const host = this.#parts[name];
    if (host === null)
      throw new Error(`an attack connects from where its attacker is not: ${name}`);
    return host;
  }

  #door(forMs: number, everyMs: number): Door {
    return { address: addresses.server, ports: this.#parts.defence.ports, forMs, everyMs };
  }

  // what the model does not give, an attack has not got: to try is a mistake in the attack
  #require(capability: Capability): void {
    if (this.#parts.can.includes(capability)) return;
    throw new Error(`an attack did what its attacker cannot do: ${capability}`);
  }
}

function requireIn(number: number): void {
  if (number === 0) throw new ControlFailed('the client did not get in without an attack');
}
