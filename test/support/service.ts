import type { Machine } from './machine.ts';
import { inline } from './inline.ts';

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

/** Where somebody connects who just tries. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Source address; the system's choice if not said. */
  readonly from?: string;
}

/** What there is to see for whoever connects to a port: the first line of text, or why there is none. */
export async function visit(machine: Machine, { address, port, from }: Target): Promise<string> {
  const { stdout } = await machine.place.exec(inline(look, address, String(port), from ?? ''));
  return stdout.trim();
}

/** How long a visitor waits. A SYN that was let through would be answered in a hundredth of it. */
async function look(host: string, port: string, from: string): Promise<void> {
  const { connect } = await import('node:net');
  const { setTimeout } = await import('node:timers');
  const localAddress = from === '' ? {} : { localAddress: from };
  const end = (seen: string): void => {
    console.log(seen);
    process.exit();
  };
  setTimeout(end, 700, 'no answer');
  connect({ host, port: Number(port), ...localAddress })
    .once('data', (text) => {
      end(String(text).split('\n', 1)[0] ?? '');
    })
    .once('end', () => {
      end('connection closed without a word');
    })
    .once('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'ECONNREFUSED' ? 'connection refused' : `no (${String(error.code)})`);
    });
}
