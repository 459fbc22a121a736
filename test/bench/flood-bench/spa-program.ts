// Runs the stock client of fwknop, each time for another port, and tries to connect until it can; answers with the milliseconds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Times, Tries } from './system.ts';

/** The same as a client's own next try, but sooner than the kernel's second SYN. */
const TRY_EVERY_MS = 10;

export type SpaTries = Tries & {
  /** The client's command line, but for the port. */
  readonly argv: readonly [string, ...string[]];
  readonly server: string;
  readonly ports: readonly number[];
};

process.on('message', (tries: SpaTries) => {
  void timesOf(tries).then((times) => process.send?.(times));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function timesOf(tries: SpaTries): Promise<Times> {
  const times: (number | null)[] = [];
  for (const port of tries.ports) times.push(await timeOf(tries, port));
  return times;
}

async function timeOf({ argv, server, withinMs }: SpaTries, port: number): Promise<number | null> {
  const startedAt = performance.now();
  const [program, ...args] = argv;
  const client = spawn(program, [...args, '-A', `tcp/${String(port)}`], { stdio: 'ignore' });
  await once(client, 'exit');
  while (performance.now() < startedAt + withinMs) {
    if (await isOpen(server, port)) return performance.now() - startedAt;
  }
  return null;
}

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  socket.on('error', () => undefined);
  const connected = once(socket, 'connect').then(
    () => true,
    () => false,
  );
  const done = await Promise.race([connected, sleep(TRY_EVERY_MS, null)]);
  socket.destroy();
  return done === true;
}
