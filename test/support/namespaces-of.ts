import { readdirSync, readFileSync } from 'node:fs';
import type { Machine } from './machine.ts';
import { execute } from './netns.ts';

/** The namespaces in which processes run that a machine has started. */
export async function namespacesOf({ home }: Machine): Promise<readonly string[]> {
  const isItsOwn = (pid: string): boolean => environmentOf(pid).includes(`HOME=${home}\0`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isItsOwn(name));
  const found = pids.map((pid) =>
    execute(['ip', 'netns', 'identify', pid], { allowFailure: true }),
  );
  const names = (await Promise.all(found)).map(({ stdout }) => stdout.trim());
  return [...new Set(names)].filter(Boolean);
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
