import test, { type ExecutionContext } from 'ava';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import type { OpenNumber } from '../../../src/firewall/nftables/silent-table.ts';
import { numberOf, silentKey, silentStepAt, turnSecrets } from '../../../src/silent/numbers.ts';
import { timelessNumber } from '../../../src/silent/tcp-stealth.ts';
import { Server } from '../../../src/server/server.ts';
import { silentModeOver } from '../../../src/server/silent/silent-mode.ts';
import type { Profile } from '../../../src/store/profile.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import type { IpAddress } from '../../../src/units/network.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { until } from '../../support/netns.ts';
import { Folder } from './folder.ts';
import { partsFor } from './running.ts';

const START = 1_800_000_000_000;

/** The kernel's table as far as it is told, but for the time. */
class FakeTable {
  readonly numbers = new Map<number, OpenNumber & { readonly lifetimeMs: number }>();
  added = 0;
  renewed = 0;
  ports: readonly number[] = [];
  isThere = false;
  takesBack = true;

  install(ports: readonly number[]): Promise<void> {
    this.numbers.clear();
    this.isThere = true;
    return this.watch(ports);
  }

  watch(ports: readonly number[]): Promise<void> {
    this.ports = ports;
    return Promise.resolve();
  }

  add(numbers: readonly OpenNumber[], lifetimeMs: number): Promise<void> {
    this.added += numbers.length;
    for (const each of numbers) this.numbers.set(each.sequence, { ...each, lifetimeMs });
    return Promise.resolve();
  }

  renew(numbers: readonly OpenNumber[], lifetimeMs: number): Promise<void> {
    for (const each of numbers) this.numbers.set(each.sequence, { ...each, lifetimeMs });
    this.renewed += numbers.length;
    return Promise.resolve();
  }

  remove(numbers: readonly OpenNumber[]): Promise<void> {
    if (numbers.length > 0 && !this.takesBack)
      return Promise.reject(new HknockError('firewall', 'busy'));
    for (const { sequence } of numbers) this.numbers.delete(sequence);
    return Promise.resolve();
  }

  counts() {
    return Promise.resolve(this.isThere ? { admitted: 0, to_gate: 0, wrong: 0, unread: 0 } : null);
  }

  end(): Promise<void> {
    this.isThere = false;
    this.numbers.clear();
    return Promise.resolve();
  }
}

async function silentFolder(t: ExecutionContext, more = ''): Promise<Folder> {
  const folder = await Folder.create(t);
  await folder.edit(/(\[silent\][^]*?)enabled = false/, `$1enabled = true`);
  await folder.edit(/^addresses = \[\]$/m, `addresses = ["198.51.100.2"]${more}`);
  return folder;
}

async function start(t: ExecutionContext, folder: Folder, unixMs = START) {
  const table = new FakeTable();
  const { clock, firewall, log, options } = partsFor(folder, {
    unixMs,
    modes: [silentModeOver(() => table)],
  });
  firewall.admissions = ['address', 'once', 'bound', 'gate'];
  const server = await Server.start(options);
  t.teardown(() => server.stop());
  return { server, table, clock, log };
}

/** The number of a peer's service `ssh` in a slot, by a clock that is off by so much. */
function numberAt(profile: Profile, unixMs: number, slot = 0): number {
  const destination = { address: '198.51.100.2' as IpAddress, port: 22 };
  const target = { service: parseServiceName('ssh'), destination };
  const step = silentStepAt(unixMs as UnixMs);
  return numberOf(turnSecrets(silentKey(profile), target)({ step, slot }));
}

test('three steps of four slots are in force, each until its end and one step more', async (t) => {
  const folder = await silentFolder(t);
  const alice = await folder.addPeer('alice');
  const { table } = await start(t, folder, START + 10_000);
  t.is(table.numbers.size, 12);
  t.deepEqual(table.ports, [22]);
  const lifetimes = [-30_000, 0, 30_000].map(
    (offMs) => table.numbers.get(numberAt(alice, START + offMs))?.lifetimeMs,
  );
  t.deepEqual(lifetimes, [20_000, 50_000, 80_000]);
});

test('each step brings the numbers of one more, and none twice', async (t) => {
  const folder = await silentFolder(t);
  const alice = await folder.addPeer('alice');
  const { table, clock } = await start(t, folder);
  for (const steps of [1, 2, 3]) {
    clock.advance(30_000);
    await until(() => table.added === 12 + 4 * steps, 'the next step');
    t.true(table.numbers.has(numberAt(alice, START + 30_000 * (steps + 1), 3)));
  }
  clock.advance(29_999);
  t.is(table.added, 24);
});

test('after a restart no step that was offered is offered again; later ones are', async (t) => {
  const folder = await silentFolder(t);
  const alice = await folder.addPeer('alice');
  const first = await start(t, folder);
  await first.server.stop();
  const { table, clock } = await start(t, folder, START + 5000);
  t.is(table.added, 0);
  clock.advance(25_000);
  await until(() => table.added === 4, 'the step after those of before');
  t.true(table.numbers.has(numberAt(alice, START + 60_000)));
  t.false(table.numbers.has(numberAt(alice, START + 30_000)));
});

test('the same when somebody has taken the table away', async (t) => {
  const folder = await silentFolder(t);
  await folder.addPeer('alice');
  const { table, clock, log } = await start(t, folder);
  table.isThere = false;
  clock.advance(5000);
  await until(() => table.isThere, 'the table to be put back');
  t.is(table.numbers.size, 0);
  clock.advance(25_000);
  await until(() => table.numbers.size === 4, 'the next step');
  t.true(log.lines.some(({ event }) => event.includes('was gone and is put back')));
});

test('a new peer is offered numbers at once, a revoked one loses his, and does not get them again', async (t) => {
  const folder = await silentFolder(t, '\nallow_guessing_odds = true');
  await folder.edit(/^allow_guessing_odds = false$/m, '');
  const alice = await folder.addPeer('alice');
  const { server, table } = await start(t, folder);
  const bob = await folder.addPeer('bob');
  await server.reload();
  t.is(table.numbers.size, 24);
  t.true(table.numbers.has(numberAt(bob, START)));

  const file = join(folder.path, 'peers/alice.toml');
  const content = await readFile(file);
  await rm(file);
  await server.reload();
  t.is(table.numbers.size, 12);
  t.false(table.numbers.has(numberAt(alice, START)));
  await writeFile(file, content, { mode: 0o600 });
  await server.reload();
  t.is(table.added, 24, 'in the steps that she had been offered');
});

test('a revoked peer loses his numbers also when the rest of the folder is broken', async (t) => {
  const folder = await silentFolder(t);
  await folder.addPeer('alice');
  const { server, table, clock } = await start(t, folder);
  await rm(join(folder.path, 'peers/alice.toml'));
  await folder.edit(/^slots = 4$/m, 'slots = "many"');
  await t.throwsAsync(server.reload());
  t.is(table.numbers.size, 0);
  clock.advance(30_000);
  const last = String(START / 30_000 + 2);
  await until(
    async () => (await readFile(join(folder.path, 'silent.step'), 'utf8')).includes(last),
    'the next step to be offered',
  );
  t.is(table.numbers.size, 0);
});

test('where numbers cannot be taken back, all are withdrawn', async (t) => {
  const folder = await silentFolder(t, '\nallow_guessing_odds = true');
  await folder.edit(/^allow_guessing_odds = false$/m, '');
  await folder.addPeer('alice');
  await folder.addPeer('bob');
  const { server, table } = await start(t, folder);
  table.takesBack = false;
  await rm(join(folder.path, 'peers/alice.toml'));
  await server.reload();
  t.is(table.numbers.size, 0);
  t.true(table.isThere);
});

test('a service that wants the gate is led there', async (t) => {
  const folder = await silentFolder(t);
  await folder.addPeer('alice', { admission: 'gate' });
  await folder.addPeer('bob', { services: ['web'], admission: 'gate' });
  const { table } = await start(t, folder);
  t.deepEqual(
    [...table.numbers.values()].map(({ way }) => way),
    Array(36).fill('gate'),
  );
  t.deepEqual(table.ports, [22, 80, 443]);
});

test("TCP Stealth's number is the same in each step, good once in each, and gone with its peer", async (t) => {
  const folder = await silentFolder(t);
  await folder.edit(/^tcp_stealth = false$/m, 'tcp_stealth = true');
  await folder.edit(/^guesses_per_day = 300$/m, 'guesses_per_day = 200');
  const alice = await folder.addPeer('alice');
  const { server, table, clock } = await start(t, folder);
  const destination = { address: '198.51.100.2' as IpAddress, port: 22 };
  const number = timelessNumber(silentKey(alice), destination);
  t.true(table.numbers.has(number));
  t.is(table.numbers.size, 13);

  table.numbers.delete(number);
  await server.reload();
  t.false(table.numbers.has(number), 'used');
  clock.advance(30_000);
  await until(() => table.renewed === 4, 'the next step');
  t.true(table.numbers.has(number));
  await rm(join(folder.path, 'peers/alice.toml'));
  await server.reload();
  t.is(table.numbers.size, 4, 'what the kernel lets run out by itself');
});

test('what a stranger could guess is refused, at the start and later', async (t) => {
  const folder = await silentFolder(t);
  await folder.addPeer('alice');
  const { server, table } = await start(t, folder);
  await folder.addPeer('bob');
  const { code, message, hint } = await t.throwsAsync(server.reload(), {
    instanceOf: HknockError,
  });
  t.is(code, 'config');
  t.regex(message, /tcp\/22 with odds of 1 in 550,636 a day/);
  t.regex(hint ?? '', /allow_guessing_odds/);
  t.is(table.numbers.size, 12);
  await server.stop();
  await t.throwsAsync(start(t, folder), { instanceOf: HknockError, message });
});
