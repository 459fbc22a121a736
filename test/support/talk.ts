import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Says a line to a program, and gives the line that comes back. */
export function talkTo(child: ChildProcess): (line: string) => Promise<string> {
  if (child.stdout === null) throw new Error('no pipe');
  const lines = createInterface(child.stdout);
  return async (line) => {
    const answered = once(lines, 'line');
    child.stdin?.write(`${line}\n`);
    const [answer] = (await answered) as [string];
    return answer;
  };
}
