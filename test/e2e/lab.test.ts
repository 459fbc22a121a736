// `hknock lab` with a few of its cells: all of them are `npm run lab`. Networks and attackers: src/lab/network.ts.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { attackers } from '../../src/lab/model.ts';
import { complaints } from '../../src/lab/report/text.ts';
import type * as cells from '../../src/lab/run-cell.ts';
import type { Defence, World } from '../../src/lab/scheme.ts';
import type * as handshakes from '../../src/lab/schemes/handshake.ts';
import { netTestWith } from '../support/capabilities.ts';
import { here, Machine } from '../support/machine.ts';
import { namespacesOf } from '../support/namespaces-of.ts';
import { cleanUp, execute, Namespace, until } from '../support/netns.ts';
import { dissect } from '../interop/wireshark/tshark.ts';

const test = netTestWith('knockd', 'iptables', 'tcpdump', 'tshark').serial;

interface CellJson {
  readonly outcome: string;
  readonly isAsExpected: boolean;
  readonly guessing?: { readonly oneIn: string; readonly looks: number };
  readonly attacks: readonly { readonly successes: number; readonly trials: number }[];
}

async function lab(
  t: ExecutionContext,
  [scheme, attacker]: readonly [string, string],
  ...options: readonly string[]
): Promise<CellJson> {
  const machine = new Machine(here);
  cleanUp(t, () => machine.remove());
  const argv = ['lab', '--scheme', scheme, '--attacker', attacker, '--json', ...options];
  const { stdout } = await machine.hknock(argv, { timeoutMs: 110_000 });
  const [cell] = JSON.parse(stdout) as CellJson[];
  if (cell === undefined) throw new Error('no cell');
  return cell;
}

test('lab: one scheme falls, one holds against all that A1, A2 and A3 can do, one is a race; what passed can be read', async (t) => {
  const pcap = temporaryFolder(t);
  const [fixed, guessed, gate, once] = await Promise.all([
    lab(t, ['knockd', 'a1']),
    lab(t, ['knockd', 'b1']),
    lab(t, ['hknock-gate', 'a1a2a3'], '--pcap', pcap),
    lab(t, ['hknock-once', 'nat']),
  ]);
  t.like(fixed, { outcome: 'falls', isAsExpected: true, attacks: { length: 1 } });
  t.like(guessed, { outcome: 'falls', isAsExpected: true, attacks: { length: 2 } });
  t.like(guessed.attacks, { 0: { successes: 0 }, 1: { successes: 1 } });
  t.like(guessed.guessing, { oneIn: '6', looks: 3 });
  t.like(gate, { outcome: 'holds', isAsExpected: true, attacks: { length: 7 } });
  t.like(once, { isAsExpected: true, attacks: { length: 1 } });
  t.is(once.attacks[0]?.trials, 16);

  const kept = (name: string): string => join(pcap, `hknock-gate-a1a2a3-${name}`);
  const hosts = ['client', 'nat', 'neighbour', 'router', 'server', 'stranger'];
  const names = [...hosts.map((host) => `${host}.pcap`), 'alice.toml'];
  t.deepEqual(readdirSync(pcap).sort(), names.map((name) => basename(kept(name))).sort());
  const options = {
    fields: ['hknock.message', 'hknock.seal'] as const,
    keys: [kept('alice.toml')],
  };
  const messages = await dissect(readFileSync(kept('client.pcap')), options);
  t.true(
    messages.some((each) => each['hknock.message'] === 'Grant' && each['hknock.seal'] === '1'),
  );
});

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hknock-test-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** As it is built: its programs begin sooner. */
async function laboratory(): Promise<
  Pick<typeof cells, 'runCell'> & Pick<typeof handshakes, 'handshake'>
> {
  const built = new URL('../../dist/lab/', import.meta.url);
  const { runCell } = (await import(new URL('run-cell.js', built).href)) as typeof cells;
  const { handshake } = (await import(
    new URL('schemes/handshake.js', built).href
  )) as typeof handshakes;
  return { runCell, handshake };
}

test('lab: what is not as expected is told', async (t) => {
  const { runCell, handshake } = await laboratory();
  const attacker = attackers[5];
  const scheme = handshake('address');
  const cell = await runCell({ scheme, attacker, expectation: { outcome: 'holds' } });
  t.like(cell, { outcome: 'falls', isAsExpected: false });
  t.true(cell.timeline.some(({ packet }) => packet.destinationPort === 62_202));
  t.deepEqual(complaints([cell]), [
    'hknock-address, NAT-knocking: expected that it holds, and it falls !',
  ]);
});

test('lab: a scan finds a server that says something about fragments', async (t) => {
  const { runCell, handshake } = await laboratory();
  const scheme = handshake('once');
  const deploy = async (world: World): Promise<Defence> => {
    const defence = await scheme.deploy(world);
    await world.network.server.exec(['nft', 'flush', 'chain', 'inet', 'filter', 'output']);
    return defence;
  };
  const cell = await runCell({ scheme: { ...scheme, deploy }, attacker: attackers[0] });
  t.like(cell, { outcome: 'falls', isAsExpected: false });
});

test('lab: nothing is begun in a namespace that is being removed, and what was begun ends', async (t) => {
  const namespace = await Namespace.create('going');
  const child = namespace.spawn(['sleep', '100']);
  const removed = namespace.remove();
  t.throws(() => namespace.spawn(['sleep', '100']), { message: /is being removed/ });
  await removed;
  t.is(child.signalCode, 'SIGKILL');
});

test('lab: nothing is left of a run that is broken off, when it has just begun or in the middle', async (t) => {
  for (const hosts of [0, 4]) await breakOff(t, hosts);
});

/** Breaks a run off as soon as it has a folder, and programs in so many namespaces. */
async function breakOff(t: ExecutionContext, hosts: number): Promise<void> {
  const machine = new Machine(here);
  cleanUp(t, () => machine.remove());
  const folder = machine.path('tmp');
  mkdirSync(folder);
  const run = machine.start(machine.argv('lab', '--scheme', 'hknock-once', '--attacker', 'nat'), {
    env: { TMPDIR: folder },
  });
  let names: readonly string[] = [];
  const areThere = async (): Promise<boolean> => {
    names = await namespacesOf(machine);
    return names.length >= hosts && readdirSync(folder).length === 1;
  };
  await until(areThere, 'the programs of the laboratory to run');
  run.kill('SIGINT');
  await until(() => run.exitCode !== null || run.signalCode !== null, 'the laboratory to end');
  t.is(run.exitCode, 130);
  t.deepEqual(readdirSync(folder), []);
  const isGone = async (): Promise<boolean> => {
    const { stdout } = await execute(['ip', 'netns', 'list']);
    return !names.some((name) => stdout.includes(name));
  };
  await until(isGone, 'the namespaces to be gone');
  await until(async () => (await namespacesOf(machine)).length === 0, 'the programs to be gone');
}
