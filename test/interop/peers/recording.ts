import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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

/** What somebody on the way writes down of a client's packets to a server: tcpdump's pcap stream. */
export class Recording {
  readonly #chunks: Buffer[] = [];
  readonly #tcpdump: ChildProcess;

  /** Starts one of datagrams and SYNs over IPv4, and waits until nothing more gets by. Ends with the namespace. */
  static async start(place: Namespace, device: string, server: string): Promise<Recording> {
    const what = `dst host ${server} and (udp or tcp[tcpflags] == tcp-syn)`;
    const argv = ['tcpdump', '-i', device, '-n', '-U', '--immediate-mode', '-w', '-', what];
    const tcpdump = place.spawn(argv);
    const recording = new Recording(tcpdump);
    let said = '';
    tcpdump.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    await until(() => said.includes('listening on'), 'tcpdump to listen');
    return recording;
  }

  private constructor(tcpdump: ChildProcess) {
    this.#tcpdump = tcpdump;
    tcpdump.stdout?.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  /** Writes no more down. */
  async stop(): Promise<void> {
    const gone = once(this.#tcpdump, 'close');
    this.#tcpdump.kill('SIGKILL');
    await gone;
  }

  /** The packets to some ports, in order, once there are so many. */
  async take(ports: readonly number[], count: number): Promise<readonly Packet[]> {
    const find = (): readonly Packet[] =>
      decode(Buffer.concat(this.#chunks)).filter(({ port }) => ports.includes(port));
    await until(() => find().length >= count, `${String(count)} packets to have been recorded`);
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
    if (protocol === 'udp') socket.send(Buffer.from(payload, 'base64'), port, server);
    else connect(port, server).on('error', () => undefined);
    await sleep(20);
  }
  process.exit();
}

const fileHeaderLength = 24;
const recordHeaderLength = 16;
const ethernetHeaderLength = 14;
const udpHeaderLength = 8;

/** Reads a pcap stream of IPv4 over Ethernet as far as it has come (draft-ietf-opsawg-pcap). */
function decode(stream: Buffer): readonly Packet[] {
  const packets: Packet[] = [];
  let at = fileHeaderLength;
  while (at + recordHeaderLength <= stream.length) {
    const length = stream.readUInt32LE(at + 8);
    const frame = stream.subarray(at + recordHeaderLength, at + recordHeaderLength + length);
    if (frame.length < length) break;
    packets.push(decodeFrame(frame));
    at += recordHeaderLength + length;
  }
  return packets;
}

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
