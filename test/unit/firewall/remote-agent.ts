import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../../support/netns.ts';
import type { Agent } from './agent.ts';
import { readTypeScript } from '../../support/typescript.ts';

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** An agent in a namespace; it ends with the namespace. */
export function agentIn(namespace: Namespace): Agent {
  const program = fileURLToPath(new URL('agent.ts', import.meta.url));
  const argv = [process.execPath, ...readTypeScript, program];
  const child = namespace.spawn(argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, (reply: Reply) => void>();
  if (child.stdout === null) throw new Error('an agent without pipes');
  createInterface(child.stdout).on('line', (line) => {
    const reply = JSON.parse(line) as Reply;
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  let last = 0;
  const ask = <T>(method: keyof Agent, ...args: readonly unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result as T);
        else reject(new Error(error));
      });
      child.stdin?.write(`${JSON.stringify({ id, method, args })}\n`);
    });
  return {
    serve: (at) => ask('serve', at),
    tcp: (name, target) => ask('tcp', name, target),
    say: (name, waitMs) => ask('say', name, waitMs),
    udp: (name, target) => ask('udp', name, target),
    close: (name) => ask('close', name),
  };
}
