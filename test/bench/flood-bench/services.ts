import { once } from 'node:events';
import { inline } from '../../support/inline.ts';
import type { Machine } from '../../support/machine.ts';

/** Starts a TCP service at so many ports, from `first` on, that says nothing. */
export async function startServices(machine: Machine, first: number, count: number): Promise<void> {
  const service = machine.start(inline(serve, String(first), String(count)), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(service.stdout ?? service, 'data');
}

async function serve(first: string, count: string): Promise<void> {
  const { createServer } = await import('node:net');
  for (let at = 0; at < Number(count); at++) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end();
    });
    await new Promise<void>((ready) => {
      server.listen(Number(first) + at, '0.0.0.0', ready);
    });
  }
  console.log('ready');
}
