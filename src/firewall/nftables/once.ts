import { execFile } from 'node:child_process';
import { toolEnvironment } from './environment.ts';

const TIME_LIMIT_MS = 10_000;

/** A ruleset of a hundred thousand rules, or a million connections at 200 bytes each. */
const MAX_OUTPUT = 256 * 1024 * 1024;

/** What a program of the firewall's said. `cause` is null when it ended well. */
export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly cause: (Error & { readonly code?: unknown }) | null;
}

/** Runs `nft`, `conntrack` or their like once, to its end. */
export function runOnce(program: string, args: readonly string[], input = ''): Promise<Said> {
  const options = { env: toolEnvironment(), timeout: TIME_LIMIT_MS, maxBuffer: MAX_OUTPUT };
  return new Promise((resolve) => {
    const child = execFile(program, [...args], options, (cause, stdout, stderr) => {
      resolve({ stdout, stderr, cause });
    });
    child.stdin?.on('error', () => undefined); // 'cause' tells of the same end
    child.stdin?.end(input);
  });
}
