import { Capture } from '../../support/capture.ts';
import { inline } from '../../support/inline.ts';
import type { Machine } from '../../support/machine.ts';
import { type Namespace, until } from '../../support/netns.ts';

/** A datagram, or the beginning of a TCP connection, as it passed by. */
export interface Packet {
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
  /** The datagram's payload in base64. */
  readonly payload: string;
}

/** What somebody on the way writes down of a client's packets to a server. */
export class Recording {
  readonly #capture: Capture;

  private constructor(capture: Capture) {
    this.#capture = capture;
  }

  /** Starts one of datagrams and SYNs over IPv4, and waits until nothing more gets by. Ends with the namespace. */
  static async start(place: Namespace, device: string, server: string): Promise<Recording> {
    const what = `dst host ${server} and (udp or tcp[tcpflags] == tcp-syn)`;
    return new Recording(await Capture.start(place, { device, what }));
  }

  /** Writes no more down. */
  async stop(): Promise<void> {
    await this.#capture.stop();
  }

  /** The packets to some ports, in order, once there are so many, and with a certain one among them if it is said which. */
  async take(
    ports: readonly number[],
    count: number,
    isNeeded: (packet: Packet) => boolean = () => true,
  ): Promise<readonly Packet[]> {
    const find = (): readonly Packet[] =>
      this.#capture.frames.map(decodeFrame).filter(({ port }) => ports.includes(port));
    const isWhole = (): boolean => find().length >= count && find().some(isNeeded);
    await until(isWhole, `${String(count)} packets to have been recorded`);
    return find();
  }
}

/** Sends recorded packets from another machine, datagrams from one port of its own. */
export async function replay(
  machine: Machine,
  server: string,
  packets: readonly Packet[],
): Promise<void> {
  await machine.run(inline(send, server, JSON.stringify(packets)));
}

async function send(server: string, packets: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const { connect } = await import('node:net');
  const { setTimeout: sleep } = await import('node:timers/promises');
  const socket = createSocket('udp4');
  for (const { protocol, port, payload } of JSON.parse(packets) as Packet[]) {
    const syn = protocol === 'tcp' ? connect(port, server).on('error', () => undefined) : null;
    if (syn === null) socket.send(Buffer.from(payload, 'base64'), port, server);
    await sleep(20);
    syn?.destroy(); // or the kernel would send it again
  }
  process.exit();
}

const ethernetHeaderLength = 14;
const udpHeaderLength = 8;

/** Reads a frame of IPv4 over Ethernet. */
function decodeFrame(frame: Buffer): Packet {
  const datagram = frame.subarray(ethernetHeaderLength);
  const headerLength = (datagram.readUInt8(0) & 15) * 4;
  const segment = datagram.subarray(headerLength, datagram.readUInt16BE(2));
  const isUdp = datagram.readUInt8(9) === 17;
  return {
    protocol: isUdp ? 'udp' : 'tcp',
    port: segment.readUInt16BE(2),
    payload: isUdp ? segment.toString('base64', udpHeaderLength) : '',
  };
}
