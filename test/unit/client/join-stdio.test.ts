import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { heard } from './heard.ts';
import { readTypeScript } from '../../support/typescript.ts';

const program = fileURLToPath(new URL('join-program.ts', import.meta.url));

/** More than all the buffers on the way hold. */
const MUCH = 64 * 1024 * 1024;

interface Joined {
  readonly child: ChildProcessWithoutNullStreams;
  /** The other end of the connection. */
  readonly far: Socket;
  readonly exit: Promise<number | null>;
}

/** A process whose standard streams are joined to a connection of the test's. */
async function join(t: ExecutionContext): Promise<Joined> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, [...readTypeScript, program, String(port)]);
  child.stdin.on('error', () => undefined);
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const [far] = (await once(server, 'connection')) as [Socket];
  far.on('error', () => undefined);
  t.teardown(async () => {
    child.kill('SIGKILL');
    far.destroy();
    server.close();
    await exit;
  });
  return { child, far, exit };
}

test.serial('the end of our input is passed on, and the answer is still awaited', async (t) => {
  const { child, far, exit } = await join(t);
  child.stdin.end('question');
  t.is(await heardText(far), 'question');
  const answer = heardText(child.stdout);
  await sleep(50);
  t.is(child.exitCode, null);
  far.end('answer');
  t.is(await answer, 'answer');
  t.is(await exit, 0);
});

test.serial(
  'the end of theirs closes our output at once, and what we still say is passed on',
  async (t) => {
    const { child, far, exit } = await join(t);
    far.end('that is all');
    t.is(await heardText(child.stdout), 'that is all');
    t.is(child.exitCode, null);
    child.stdin.end('thank you');
    t.is(await heardText(far), 'thank you');
    t.is(await exit, 0);
  },
);

test.serial('every byte arrives, both ways at once', async (t) => {
  const { child, far, exit } = await join(t);
  const [up, down] = [randomBytes(5_000_000), randomBytes(5_000_000)];
  child.stdin.end(up);
  far.end(down);
  const [arrivedUp, arrivedDown] = await Promise.all([heard(far), heard(child.stdout)]);
  t.is(hash(arrivedUp), hash(up));
  t.is(hash(arrivedDown), hash(down));
  t.is(await exit, 0);
});

test.serial(
  'when our output is not read, the other side has to wait, and then loses nothing',
  async (t) => {
    const { child, far, exit } = await join(t);
    const pumping = pump(far);
    const stalledAt = await pumping.stalled;
    t.true(stalledAt < MUCH / 2, String(stalledAt));
    child.stdin.end();
    t.is(await count(child.stdout), MUCH);
    t.is(await exit, 0);
  },
);

test.serial(
  'when the other side does not read, our input has to wait, and then loses nothing',
  async (t) => {
    const { child, far, exit } = await join(t);
    const pumping = pump(child.stdin);
    const stalledAt = await pumping.stalled;
    t.true(stalledAt < MUCH / 2, String(stalledAt));
    far.end();
    child.stdout.resume();
    t.is(await count(far), MUCH);
    t.is(await exit, 0);
  },
);

test.serial(
  'when nobody reads our output any more, the connection ends without a fuss',
  async (t) => {
    const { child, far, exit } = await join(t);
    const said = heardText(child.stderr);
    const closed = new Promise((resolve) => far.once('close', resolve));
    child.stdout.destroy();
    far.resume();
    const talking = setInterval(() => far.writable && far.write('x'.repeat(1000)), 5);
    t.teardown(() => {
      clearInterval(talking);
    });
    t.is(await exit, 0);
    await closed;
    t.is(await said, '');
  },
);

test.serial('a connection that is torn down is a fault', async (t) => {
  const { child, far, exit } = await join(t);
  child.stdin.write('hello');
  await once(far.resume(), 'data');
  far.resetAndDestroy();
  t.is((await heardText(child.stderr)).trim(), 'connection');
  t.is(await exit, 69);
});

async function heardText(from: Readable): Promise<string> {
  return (await heard(from)).toString();
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes MUCH as fast as it is taken and ends then; `stalled` tells how much was taken when nothing had been for a while. */
function pump(into: Writable): { readonly stalled: Promise<number> } {
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  const more = (): void => {
    while (written < MUCH) {
      written += chunk.length;
      if (!into.write(chunk)) return void into.once('drain', more);
    }
    into.end();
  };
  more();
  return { stalled: untilUnchanged(() => written) };
}

async function untilUnchanged(value: () => number): Promise<number> {
  for (;;) {
    const before = value();
    await sleep(300);
    if (value() === before) return before;
  }
}

async function count(from: Readable): Promise<number> {
  return (await heard(from)).length;
}
