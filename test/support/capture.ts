import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type Namespace, until } from './netns.ts';

const fileHeaderLength = 24;
const recordHeaderLength = 16;

/** What tcpdump has seen pass by a device (draft-ietf-opsawg-pcap). Ends with its namespace. */
export class Capture {
  readonly #tcpdump: ChildProcess;
  readonly #chunks: Buffer[] = [];

  private constructor(tcpdump: ChildProcess) {
    this.#tcpdump = tcpdump;
    tcpdump.stdout?.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  /**
   * Starts one, and waits until nothing more gets by.
   * @param what a filter, such as `udp port 62202`
   */
  static async start(
    place: Namespace,
    { device, what }: { readonly device: string; readonly what: string },
  ): Promise<Capture> {
    const argv = ['tcpdump', '-i', device, '-n', '-U', '--immediate-mode', '-w', '-', what];
    const tcpdump = place.spawn(argv);
    const capture = new Capture(tcpdump);
    let said = '';
    tcpdump.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    await until(() => said.includes('listening on'), 'tcpdump to listen');
    return capture;
  }

  /** Writes no more down. */
  async stop(): Promise<void> {
    const gone = once(this.#tcpdump, 'close');
    this.#tcpdump.kill('SIGKILL');
    await gone;
  }

  /** The stream as it has come so far, for a file. */
  get stream(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** All frames that have come whole. */
  get frames(): readonly Buffer[] {
    const { stream } = this;
    const frames: Buffer[] = [];
    let at = fileHeaderLength;
    while (at + recordHeaderLength <= stream.length) {
      const length = stream.readUInt32LE(at + 8);
      const frame = stream.subarray(at + recordHeaderLength, at + recordHeaderLength + length);
      if (frame.length < length) break;
      frames.push(frame);
      at += recordHeaderLength + length;
    }
    return frames;
  }
}
