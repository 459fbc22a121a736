import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import '../../src/lab/path.ts';

/** Whether tests can have network namespaces with nftables in them here, and if not, why. Tried, not guessed. */
export const namespaces: { readonly available: boolean; readonly reason: string } = probe();

function probe(): { available: boolean; reason: string } {
  if (process.getuid?.() !== 0) {
    return { available: false, reason: 'network namespaces need root' };
  }
  const name = `hk-probe-${randomBytes(4).toString('hex')}`;
  try {
    run('ip', 'netns', 'add', name);
  } catch (error) {
    return { available: false, reason: `cannot make a network namespace: ${firstLine(error)}` };
  }
  try {
    run('ip', 'netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'probe');
    return { available: true, reason: '' };
  } catch (error) {
    return { available: false, reason: `cannot use nftables in a namespace: ${firstLine(error)}` };
  } finally {
    run('ip', 'netns', 'delete', name);
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 });
}

function firstLine(error: unknown): string {
  const stderr =
    error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : undefined;
  return (stderr ?? String(error)).split('\n', 1)[0] ?? '';
}
