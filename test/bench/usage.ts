import type { Counts, Usage } from './target.ts';

/** Answers each message from the parent process with what this one has counted and used since it started. */
export function tellUsage(count: () => Counts): void {
  process.on('message', () => {
    globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const cpuSeconds = (user + system) / 1e6;
    const usage: Usage = { ...count(), cpuSeconds, rss, heap: heapUsed + external };
    process.send?.(usage);
  });
}
