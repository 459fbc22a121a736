import type { Machine } from './machine.ts';
import { inline } from './inline.ts';
import type { Target } from './resident.ts';

/** What whoever gets in reads first. */
export const welcome = 'Welcome to the service.';

/** Starts a TCP service that greets, then says again whatever it is told, until the other side hangs up. */
export async function startService(machine: Machine, port: number, address = '::'): Promise<void> {
  const service = machine.start(inline(serve, String(port), address, welcome), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of service.stdout ?? []) if (String(line).includes('ready')) return;
  throw new Error('the service did not start');
}

async function serve(port: string, address: string, greeting: string): Promise<void> {
  const { createServer } = await import('node:net');
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.write(`${greeting}\n`);
    socket.pipe(socket);
  }).listen(Number(port), address, () => {
    console.log('ready');
  });
}

/** What there is to see for whoever connects to a port: the first line of text, or why there is none. */
export async function visit(machine: Machine, target: Target): Promise<string> {
  return (await machine.resident).ask('visit', target);
}
