import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Target, type Usage } from './target.ts';
import { readTypeScript } from '../support/typescript.ts';

export interface Flood {
  readonly datagram: (target: Target) => Uint8Array;
  readonly datagrams: number;
  /** What is flooded; a responder if not said. */
  readonly program?: string;
  /** Threads of the responder that read, if it is one. */
  readonly workers?: number;
}

/** What a flood did to a responder. */
export interface FloodResult {
  readonly received: number;
  readonly answered: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly before: Usage;
  readonly after: Usage;
}

/** Sends a warm-up of a tenth, then the flood, to a responder of its own. */
export async function flood({
  datagram,
  datagrams,
  program = 'responder-program.ts',
  workers = 1,
}: Flood): Promise<FloodResult> {
  const target = await Target.start(program, String(workers));
  try {
    await send(target, datagram(target), datagrams / 10);
    const before = await target.usage();
    const startedAt = performance.now();
    await send(target, datagram(target), datagrams);
    const after = await target.usage();
    return {
      received: after.received - before.received,
      answered: after.answered - before.answered,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      wallSeconds: (performance.now() - startedAt) / 1000,
      before,
      after,
    };
  } finally {
    await target.stop();
  }
}

async function send({ port }: Target, datagram: Uint8Array, total: number): Promise<void> {
  const program = fileURLToPath(new URL('flood-program.ts', import.meta.url));
  const args = [...readTypeScript, program, String(port)];
  const hex = Buffer.from(datagram).toString('hex');
  const child = spawn(process.execPath, [...args, hex, String(Math.round(total))], {
    stdio: 'inherit',
  });
  await once(child, 'exit');
}
