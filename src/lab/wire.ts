import { programBeside } from '../server/start-thread.ts';
import { Hand } from './hand.ts';
import { leadThroughProgram, type Network, type Side, sides } from './network.ts';
import { changePacket, type Packet, readPacket } from './packet.ts';
import type { Passing, WireOrders } from './wire-program.ts';

/** What became of a packet at the router. */
type Fate = 'passed' | 'kept back' | 'changed' | 'forged';

/** A packet at the router, with the side it really came from, whatever it says. */
export interface Passed {
  readonly atUnixMs: number;
  readonly side: Side | 'attacker';
  readonly packet: Packet;
  readonly fate: Fate;
}

/** What goes on in place of a packet that came from a side: itself, nothing, or others; those beside itself are forged. */
export type Rule = (packet: Packet, side: Side) => readonly Packet[];

/** So much of what passed is kept; a flood is more, and its beginning says all. */
const MAX_KEPT = 3000;

/** The router, as whoever is in its place has it: it sees all that passes, and can do with it as it likes. */
export class Wire {
  readonly #passed: Passed[] = [];
  #hand: Hand<WireOrders> | null = null;
  #rule: Rule | null = null;
  #unkept = 0;

  static async start(network: Network): Promise<Wire> {
    const wire = new Wire();
    wire.#hand = await Hand.start<WireOrders>(network.router, {
      program: programBeside(import.meta.url, 'wire-program'),
      args: sides,
      onReport: (passing: Passing) => {
        wire.#take(passing);
      },
    });
    await leadThroughProgram(network);
    return wire;
  }

  get passed(): readonly Passed[] {
    return this.#passed;
  }

  /** How many packets passed after there was no more room to keep them. */
  get unkept(): number {
    return this.#unkept;
  }

  /** Has a rule decide about each packet; with null they pass again. */
  async intercept(rule: Rule | null): Promise<void> {
    this.#rule = rule;
    await this.#order().ask('hold', rule !== null);
  }

  /** Sends packets from here, whatever they say of where they come from. */
  async send(packets: readonly Packet[]): Promise<void> {
    for (const packet of packets) this.#keep({ packet, side: 'attacker', fate: 'forged' });
    await this.#order().ask(
      'send',
      packets.map(({ bytes }) => bytes),
    );
  }

  /** Sends packets over and over at a rate, until {@link stopFlood}. */
  startFlood(packets: readonly Packet[], perSecond: number): void {
    for (const packet of packets) this.#keep({ packet, side: 'attacker', fate: 'forged' });
    this.#order()
      .ask('flood', { packets: packets.map(({ bytes }) => bytes), perSecond })
      .catch(() => undefined);
  }

  async stopFlood(): Promise<void> {
    await this.#order().ask('stopFlood', undefined);
  }

  #take({ side, bytes, atUnixMs, waits }: Passing): void {
    const packet = readPacket(bytes);
    if (packet === null) return;
    const from = side as Side;
    const goOn = waits && this.#rule !== null ? this.#rule(packet, from) : [packet];
    if (goOn.includes(packet)) {
      for (const each of goOn) {
        if (each === packet) this.#keep({ packet, side: from, fate: 'passed', atUnixMs });
        else this.#keep({ packet: each, side: 'attacker', fate: 'forged', atUnixMs });
      }
    } else {
      const fate = goOn.length === 0 ? 'kept back' : 'changed';
      this.#keep({ packet, side: from, fate, atUnixMs });
    }
    if (waits) {
      const all = goOn.map((each) => each.bytes);
      this.#order()
        .ask('send', all)
        .catch(() => undefined); // the network is being taken down
    }
  }

  #keep({ atUnixMs = Date.now(), ...passed }: Omit<Passed, 'atUnixMs'> & { atUnixMs?: number }) {
    if (this.#passed.length < MAX_KEPT) this.#passed.push({ atUnixMs, ...passed });
    else this.#unkept++;
  }

  #order(): Hand<WireOrders> {
    if (this.#hand === null) throw new Error('the router has not begun');
    return this.#hand;
  }
}

/** The packets as another host would send them. */
export function from(source: string, packets: readonly Packet[]): readonly Packet[] {
  return packets.map((packet) => changePacket(packet, { source }));
}
