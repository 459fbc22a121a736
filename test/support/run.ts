// `npm test`: sets up, builds, takes the types off, runs AVA, then looks for what the tests left behind and says last which were skipped and why.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { endLeftovers } from './leftovers.ts';
import { newRun } from './netns.ts';
import { installPrograms } from './programs.ts';
import { mirrorWithoutTypes, nameWithoutTypes } from './without-types.ts';
import { startReaper } from '../../src/lab/reaper.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const missing = installPrograms();
  if (missing.length > 0 && process.env['HKNOCK_REQUIRE_NETNS'] === '1') return 1;
  const built = await runNode(['node_modules/typescript/bin/tsc', '-p', '.tsconfig.build.json']);
  return built === 0 ? test(args) : built;
}

async function test(args: readonly string[]): Promise<number> {
  const run = newRun();
  startReaper(run); // should this process be killed
  const folder = mkdtempSync(join(tmpdir(), 'hknock-test-'));
  chmodSync(folder, 0o711); // programs that run as another user pass through
  const skipReport = join(folder, 'skipped');
  const mirror = join(folder, 'hknock');
  try {
    mirrorWithoutTypes(mirror);
    const ava = resolve('node_modules/ava/entrypoints/cli.mjs');
    const env = {
      HKNOCK_TEST_RUN: run,
      HKNOCK_SKIP_REPORT: skipReport,
      TMPDIR: folder, // goes with all that a test leaves in it that was stopped before it could clean up
    };
    const code = await runNode([ava, ...args.map(nameWithoutTypes)], { cwd: mirror, env });
    const leftovers = await endLeftovers(run);
    if (leftovers.length > 0) console.log(`The tests left behind:\n  ${leftovers.join('\n  ')}\n`);
    printSkipped(skipReport);
    return leftovers.length > 0 ? 1 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printSkipped(report: string): void {
  if (!existsSync(report)) return;
  const skipped = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t') as [reason: string, title: string]);
  for (const reason of new Set(skipped.map(([each]) => each))) {
    const titles = skipped.filter(([each]) => each === reason).map(([, title]) => title);
    console.log(`Skipped ${String(titles.length)}, because ${reason}:\n  ${titles.join('\n  ')}`);
  }
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a Node program on this terminal; signals go on to it, and this process stays to clean up. */
function runNode(args: readonly string[], { cwd = '.', env = {} }: Surroundings = {}) {
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    cwd,
    env: { ...process.env, ...env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
