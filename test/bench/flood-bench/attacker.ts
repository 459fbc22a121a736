import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { interfaceTo } from '../../support/netns.ts';
import { addresses, type Topology } from '../../support/topology.ts';
import { readTypeScript } from '../../support/typescript.ts';
import { frameOf, type Packet, type Source, type Wire } from './frames.ts';

/** What the attacker's program is told. */
export type Order =
  | {
      readonly kind: 'flood';
      readonly frames: Buffer;
      readonly lengths: readonly number[];
      readonly forged: boolean;
      readonly perSecond: number | null;
    }
  | { readonly kind: 'stop' }
  | { readonly kind: 'ask'; readonly from: string; readonly to: Source; readonly bytes: Buffer };

/** What it says. */
export type Answer =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'sent' } & Sent)
  | { readonly kind: 'answer'; readonly bytes: Uint8Array };

export interface Sent {
  readonly sent: number;
  readonly seconds: number;
}

/** What is sent over and over. */
export interface Attack {
  readonly packets: readonly Packet[];
  /** Their sources, in 10.0.0.0/8, are never the same for long. */
  readonly forged: boolean;
}

/** The attacker's own address, where he can receive. */
export const ownAddress = '198.51.100.66';

/** From where whatever is answered is thrown away: no NAT gives a client a port below 1024. */
export const deafPort = 666;

/**
 * A host on the wire in front of the server, behind the client's NAT: what it sends comes in by the device that the client's
 * packets come in by, from whatever address it likes. Answers to forged sources go nowhere.
 */
export class Attacker {
  readonly #child: ChildProcess;
  readonly #gone: Promise<never>;
  readonly #wire: Wire;

  static async start(topology: Topology): Promise<Attacker> {
    const wire = await prepare(topology);
    const program = fileURLToPath(new URL('attacker-program.ts', import.meta.url));
    const argv = [process.execPath, ...readTypeScript, program, interfaceTo(topology.server)];
    const child = topology.nat.spawn(argv, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    const attacker = new Attacker(child, wire);
    await attacker.#hear();
    return attacker;
  }

  private constructor(child: ChildProcess, wire: Wire) {
    this.#child = child;
    this.#gone = once(child, 'exit').then(() => {
      throw new Error('the attacker has ended');
    });
    this.#gone.catch(() => undefined); // told to whoever waits
    this.#wire = wire;
  }

  /** Begins; {@link stop} ends it. @param perSecond as fast as it goes if null */
  flood({ packets, forged }: Attack, perSecond: number | null): void {
    const frames = packets.map((each) => frameOf(each, this.#wire));
    const lengths = frames.map(({ length }) => length);
    this.#tell({ kind: 'flood', frames: Buffer.concat(frames), lengths, forged, perSecond });
  }

  /** @throws {Error} when nothing was being sent */
  async stop(): Promise<Sent> {
    const heard = this.#hear();
    this.#tell({ kind: 'stop' });
    const answer = await heard;
    if (answer.kind !== 'sent') throw new Error(`the attacker says ${answer.kind}`);
    return answer;
  }

  /** Sends a datagram from the attacker's own address, and gives what is answered. */
  async ask(bytes: Uint8Array, port: number): Promise<Uint8Array> {
    const heard = this.#hear();
    const to = { address: addresses.server, port };
    this.#tell({ kind: 'ask', from: ownAddress, to, bytes: Buffer.from(bytes) });
    const answer = await heard;
    if (answer.kind !== 'answer') throw new Error(`the attacker says ${answer.kind}`);
    return answer.bytes;
  }

  #tell(order: Order): void {
    this.#child.send(order);
  }

  async #hear(): Promise<Answer> {
    const [answer] = (await Promise.race([once(this.#child, 'message'), this.#gone])) as [Answer];
    return answer;
  }
}

async function prepare({ nat, server }: Topology): Promise<Wire> {
  const [toServer, toNat] = [interfaceTo(server), interfaceTo(nat)];
  await nat.exec(['ip', 'address', 'add', `${ownAddress}/24`, 'dev', toServer]);
  const input = `
    insert rule inet nat postrouting ip saddr ${ownAddress} accept
    table inet nowhere {
      chain prerouting {
        type filter hook prerouting priority raw;
        iifname "${toServer}" ip daddr 10.0.0.0/8 drop
        iifname "${toServer}" udp dport ${String(deafPort)} drop
      }
    }
  `;
  await nat.exec(['nft', '-f', '-'], { input });
  const macs = [await macOf(server, toNat), await macOf(nat, toServer)];
  return { ethernet: Buffer.concat(macs), server: addresses.server };
}

async function macOf(place: Topology['nat'], device: string): Promise<Buffer> {
  const { stdout } = await place.exec(['cat', `/sys/class/net/${device}/address`]);
  return Buffer.from(stdout.trim().replaceAll(':', ''), 'hex');
}
