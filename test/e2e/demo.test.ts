import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { netTest } from '../support/capabilities.ts';
import { cleanUp, until } from '../support/netns.ts';
import { readTypeScript } from '../support/typescript.ts';

const program = fileURLToPath(new URL('../demo/demo.ts', import.meta.url));

/** Starts the demo with a folder of its own for temporary files, where nothing may be left. */
function play(t: ExecutionContext, ...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'hknock-demo-'));
  cleanUp(t, () => {
    rmSync(folder, { recursive: true });
  });
  const argv = [...readTypeScript, program, ...args];
  const child = spawn(process.execPath, argv, { env: { ...process.env, TMPDIR: folder } });
  cleanUp(t, () => {
    child.kill();
  });
  const played = { told: '', closed: once(child, 'close'), folder, child };
  const hear = (text: string): void => {
    played.told += text;
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return played;
}

test('the demo plays to its end on loopback', async (t) => {
  const played = play(t, '--loopback');
  await played.closed;
  t.is(played.child.exitCode, 0, played.told);
  t.deepEqual(readdirSync(played.folder), []);
});

// that no namespace and no process is left is seen by the runner at the end of all tests
netTest('the demo, interrupted, clears away its stage', async (t) => {
  const played = play(t);
  await until(() => played.told.includes('client$ hknock knock'), 'the knock', 60_000);
  played.child.kill('SIGINT');
  await played.closed;
  t.is(played.child.exitCode, 130, played.told);
  t.deepEqual(readdirSync(played.folder), []);
});
