import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createCommand } from '../../../../src/firewall/command/command.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../../src/host/fake-log.ts';
import type { Firewall } from '../../../../src/host/firewall.ts';
import { createSystemClock } from '../../../../src/system/clock.ts';
import { until } from '../../../support/netns.ts';
import { open, opening, tcp, transaction, udp } from '../bench.ts';

interface Setup {
  readonly firewall: Firewall;
  readonly clock: FakeClock;
  readonly log: FakeLog;
  /** What the commands wrote, line by line. */
  readonly record: () => Promise<readonly string[]>;
}

const told = '{address} {family} {protocol} {port} {lifetime} {grant} {peer} {service}';

/** Commands that write what they were told to a file; `open` fails for port 9. */
async function setUp(
  t: ExecutionContext,
  words: readonly string[] = ['{address}', '{port}'],
): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), 'hknock-command-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'record');
  await writeFile(file, '');
  const script = join(folder, 'script');
  await writeFile(script, `#!/bin/sh\necho "$*" >> ${file}\n[ "$1 $HKNOCK_PORT" != "open 9" ]\n`, {
    mode: 0o700,
  });
  const clock = new FakeClock();
  const log = new FakeLog();
  const firewall = createCommand({
    clock,
    log,
    open: [script, 'open', ...words],
    close: [script, 'close', ...words],
    timeLimitMs: 10_000,
  });
  t.teardown(() => firewall.stop('open'));
  await firewall.start([]);
  const record = async (): Promise<readonly string[]> =>
    (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  return { firewall, clock, log, record };
}

test('the commands are told everything, each word as it is', async (t) => {
  const { firewall, record } = await setUp(t, [told, '$(touch /tmp/x)', '{unknown}']);
  const granted = opening('2001:db8::1', [udp(53)], { grant: 'id', peer: 'ann', lifetimeMs: 1500 });
  await open(firewall, granted);
  t.deepEqual(await record(), [
    'open 2001:db8::1 ipv6 udp 53 2 id ann echo $(touch /tmp/x) {unknown}',
  ]);
});

test('the environment has the facts, the search path and nothing else', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hknock-command-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const firewall = createCommand({
    clock: createSystemClock(),
    log: new FakeLog(),
    open: [
      process.execPath,
      '-e',
      `fs.writeFileSync(process.argv[1], JSON.stringify(process.env))`,
      join(folder, 'env'),
    ],
    close: ['true'],
    timeLimitMs: 10_000,
  });
  t.teardown(() => firewall.stop('open'));
  await firewall.start([]);
  await open(firewall, opening('192.0.2.1', [tcp(22)], { grant: 'id', lifetimeMs: 30_000 }));
  t.deepEqual(JSON.parse(await readFile(join(folder, 'env'), 'utf8')), {
    PATH: process.env['PATH'],
    HKNOCK_ADDRESS: '192.0.2.1',
    HKNOCK_FAMILY: 'ipv4',
    HKNOCK_PROTOCOL: 'tcp',
    HKNOCK_PORT: '22',
    HKNOCK_LIFETIME: '30',
    HKNOCK_GRANT: 'id',
    HKNOCK_PEER: 'ann',
    HKNOCK_SERVICE: 'echo',
  });
});

test('a grant ends by the clock', async (t) => {
  const { firewall, clock, record } = await setUp(t);
  await open(firewall, opening('192.0.2.1', [tcp(22)], { lifetimeMs: 1000 }));
  clock.advance(999);
  t.deepEqual(await record(), ['open 192.0.2.1 22']);
  clock.advance(1);
  await until(async () => (await record()).length === 2, 'close to run');
  t.deepEqual(await record(), ['open 192.0.2.1 22', 'close 192.0.2.1 22']);
});

test('when one port cannot be opened, all are closed and the grant fails', async (t) => {
  const { firewall, record } = await setUp(t);
  const bad = opening('192.0.2.1', [tcp(22), tcp(9)]);
  const good = opening('192.0.2.2', [tcp(22)]);
  const failures = await firewall.apply(transaction({ opens: [bad, good] }));
  t.deepEqual([...failures.keys()], [bad.grant]);
  t.is(failures.get(bad.grant)?.code, 'firewall');
  const lines = await record();
  for (const line of ['close 192.0.2.1 22', 'close 192.0.2.1 9'])
    t.true(lines.includes(line), line);
  t.false(lines.includes('close 192.0.2.2 22'));
});

test('grants that overlap are one open and one close', async (t) => {
  const { firewall, record } = await setUp(t);
  const one = opening('192.0.2.1', [tcp(22)]);
  const two = opening('192.0.2.1', [tcp(22)]);
  await open(firewall, one, two);
  await firewall.apply(transaction({ closes: [one.grant] }));
  t.deepEqual(await record(), ['open 192.0.2.1 22']);
  await firewall.apply(transaction({ closes: [two.grant] }));
  t.deepEqual(await record(), ['open 192.0.2.1 22', 'close 192.0.2.1 22']);
});

test('a grant that lasts longer than the one before opens again for its time', async (t) => {
  const { firewall, clock, record } = await setUp(t, ['{lifetime}']);
  await open(firewall, opening('192.0.2.1', [tcp(22)], { lifetimeMs: 10_000 }));
  await open(firewall, opening('192.0.2.1', [tcp(22)], { lifetimeMs: 20_000 }));
  t.deepEqual(await record(), ['open 10', 'close 10', 'open 20']);
  clock.advance(10_000);
  await open(firewall, opening('192.0.2.9', [tcp(22)], { lifetimeMs: 1000 }));
  t.deepEqual((await record()).slice(3), ['open 1']);
});

test('stop closes what is open', async (t) => {
  const { firewall, record } = await setUp(t);
  await open(firewall, opening('192.0.2.1', [tcp(22), tcp(23)]));
  await firewall.stop('open');
  const lines = await record();
  t.deepEqual(lines.slice(2).toSorted(), ['close 192.0.2.1 22', 'close 192.0.2.1 23']);
});

test('a command that takes too long is killed with its children, and the grant fails', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hknock-command-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'pid');
  const clock = new FakeClock();
  const firewall = createCommand({
    clock,
    log: new FakeLog(),
    open: ['sh', '-c', 'sleep 60 & echo $! > "$1"; wait', 'sh', file],
    close: ['true'],
    timeLimitMs: 300,
  });
  t.teardown(() => firewall.stop('open'));
  await firewall.start([]);
  const slow = opening('192.0.2.1', [tcp(22)]);
  const applying = firewall.apply(transaction({ opens: [slow] }));
  const written = async (): Promise<string> => readFile(file, 'utf8').catch(() => '');
  await until(async () => (await written()).endsWith('\n'), 'the command to run');
  clock.advance(300);
  t.is((await applying).get(slow.grant)?.code, 'firewall');
  const pid = Number(await written());
  await until(() => !isRunning(pid), 'the child to be killed');
  t.pass();
});

test('a close that fails is told and logged as what it is', async (t) => {
  const log = new FakeLog();
  const options = { clock: new FakeClock(), log, timeLimitMs: 10_000 };
  const firewall = createCommand({ ...options, open: ['true'], close: ['false'] });
  await firewall.start([]);
  const granted = opening('192.0.2.1', [tcp(22)]);
  await open(firewall, granted);
  const failures = await firewall.apply(transaction({ closes: [granted.grant] }));
  t.is(failures.get(granted.grant)?.code, 'firewall');
  t.is(log.lines.filter(({ level }) => level === 'error').length, 1);
});

test('a program that is not there is told at the start', async (t) => {
  const options = { clock: new FakeClock(), log: new FakeLog(), timeLimitMs: 10_000 };
  const firewall = createCommand({ ...options, open: ['true'], close: ['/nonexistent/close'] });
  await t.throwsAsync(firewall.start([]), { code: 'host' });
});

test('only grants for any number of connections can be had', async (t) => {
  const { firewall, record } = await setUp(t);
  const narrow = opening('192.0.2.1', [tcp(22)], { admission: 'once' });
  const failures = await firewall.apply(transaction({ opens: [narrow] }));
  t.is(failures.get(narrow.grant)?.code, 'firewall');
  t.deepEqual(await record(), []);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
