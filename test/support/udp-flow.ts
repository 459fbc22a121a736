import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { inline } from './inline.ts';
import type { Machine } from './machine.ts';

/** Starts a UDP service that says again whatever it is told. */
export async function startEcho(machine: Machine, port: number): Promise<void> {
  const service = machine.start(inline(echo, String(port)), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(service.stdout ?? service, 'data');
}

async function echo(port: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket('udp4', (bytes, from) => {
    socket.send(bytes, from.port, from.address);
  }).bind(Number(port), () => {
    console.log('ready');
  });
}

/** Somebody who says something five times a second, always from the same port. */
export class UdpFlow {
  readonly #child: ChildProcess;
  #answers = 0;

  constructor(machine: Machine, address: string, port: number) {
    this.#child = machine.start(inline(talk, address, String(port)), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#answers += text.length;
    });
  }

  /** How often it was answered. */
  get answers(): number {
    return this.#answers;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

async function talk(address: string, port: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const { setInterval } = await import('node:timers');
  const socket = createSocket('udp4', () => process.stdout.write('.'));
  socket.on('error', () => undefined);
  setInterval(() => {
    socket.send('there?', Number(port), address);
  }, 200);
}
