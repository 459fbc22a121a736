import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** Kills all that runs in the namespaces whose names begin with $1, deletes them and prints their names. */
const sweep = `
for name in $(ip netns list | cut -d ' ' -f 1 | grep "^$1-"); do
  ip netns pids "$name" | xargs -r kill -KILL
  ip netns delete "$name" && echo "$name"
done`;

/**
 * Starts a small process that outlives this one, however it ends (Ctrl-C, SIGKILL, a terminated worker thread), and then
 * deletes the namespaces that are still there under the prefix. It waits for its standard input to end.
 */
export function startReaper(prefix: string): void {
  const script = `trap '' INT TERM HUP; cat >/dev/null; ${sweep}`;
  const reaper = spawn('/bin/sh', ['-c', script, 'reaper', prefix], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // its own session: the terminal's Ctrl-C does not reach it
  });
  reaper.unref();
  // a pipe is a net.Socket, which the declared type does not say; without this the process would never end
  if (reaper.stdin instanceof Socket) reaper.stdin.unref();
}

/** Deletes the namespaces under the prefix now, with all that runs in them, and gives their names. */
export async function sweepNamespaces(prefix: string): Promise<readonly string[]> {
  const sweeper = spawn('/bin/sh', ['-c', sweep, 'sweep', prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const names = await sweeper.stdout.setEncoding('utf8').toArray();
  return names.join('').split('\n').filter(Boolean);
}
