import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../../src/bytes/address.ts';
import { deriveKeys, type HandshakeKeys } from '../../src/handshake/keys.ts';
import { parsePeerName } from '../../src/units/names.ts';
import { readTypeScript } from '../support/typescript.ts';

export const loopback = parseAddress('127.0.0.1') ?? raise();
export const peerName = parsePeerName('bench');

/** What a program has counted since it started. */
export interface Counts {
  readonly received: number;
  readonly receiveDropped: number;
  readonly answered: number;
}

/** The same, and what it has used. */
export interface Usage extends Counts {
  readonly cpuSeconds: number;
  readonly rss: number;
  /** Bytes of the heap in use after a collection, and of what it refers to outside. */
  readonly heap: number;
}

/** A responder in a process of its own, to be flooded. */
export class Target {
  readonly port: number;
  readonly keys: HandshakeKeys;
  readonly #child: ChildProcess;

  static async start(program: string, ...args: readonly string[]): Promise<Target> {
    const child = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
      execArgv: ['--expose-gc', ...readTypeScript],
    });
    const [hello] = (await once(child, 'message')) as [Record<string, string> & { port: number }];
    return new Target(child, hello);
  }

  private constructor(child: ChildProcess, hello: Record<string, string> & { port: number }) {
    const bytes = (name: string): Uint8Array => Buffer.from(hello[name] ?? '', 'hex');
    this.#child = child;
    this.port = hello.port;
    this.keys = deriveKeys({
      tag: bytes('tag'),
      secret: bytes('secret'),
      responderId: bytes('responderId'),
    });
  }

  async usage(): Promise<Usage> {
    const answer = once(this.#child, 'message');
    this.#child.send('usage');
    const [usage] = (await answer) as [Usage];
    return usage;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

function raise(): never {
  throw new Error('127.0.0.1 is an address');
}
