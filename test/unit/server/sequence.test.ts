import { appendFile, copyFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sequenceNow } from '../../../src/client/sequence.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { startSequenceMode } from '../../../src/server/sequence/sequence-mode.ts';
import { Server } from '../../../src/server/server.ts';
import type { Profile } from '../../../src/store/profile.ts';
import { until } from '../../support/netns.ts';
import { faultOf } from '../store/scratch.ts';
import { Folder } from './folder.ts';
import { partsFor, type Running } from './running.ts';

const NOW = 1_800_000_000_000;

interface Gate extends Running {
  readonly folder: Folder;
  readonly alice: Profile;
  readonly logFile: string;
}

/** A folder whose server listens to a firewall's log. */
async function furnish(t: ExecutionContext): Promise<{ folder: Folder; logFile: string }> {
  const folder = await Folder.create(t);
  const logFile = join(folder.path, 'kern.log');
  await writeFile(logFile, '');
  await folder.edit(/schemes = \[\]/, 'schemes = ["totp"]');
  await folder.edit(/source = "nflog"/, 'source = "log"');
  await folder.edit(/log_file = ".*"/, `log_file = "${logFile}"`);
  return { folder, logFile };
}

async function open(t: ExecutionContext): Promise<Gate> {
  const { folder, logFile } = await furnish(t);
  const alice = await folder.addPeer('alice', { withTotp: true });
  return { folder, alice, logFile, ...(await begin(t, folder)) };
}

async function begin(t: ExecutionContext, folder: Folder, unixMs = NOW): Promise<Running> {
  const { options, log, firewall } = partsFor(folder);
  firewall.admissions = ['address', 'once', 'port'];
  const clock = new FakeClock(unixMs);
  const server = await Server.start({ ...options, clock, modes: [startSequenceMode] });
  t.teardown(() => server.stop());
  return { server, firewall, clock, log };
}

/** The lines of a sequence as the kernel writes them. */
async function linesOf(gate: Gate, sourcePort: number, clock = gate.clock): Promise<string> {
  const { ports, address } = await sequenceNow(gate.alice, { clock });
  return ports
    .map(
      (port) =>
        `Jan 15 08:00:00 gate kernel: [1.5] hknock: IN=eth0 OUT= MAC= SRC=192.0.2.7 DST=${address} LEN=60 TOS=0x00 PREC=0x00 TTL=57 ID=1 DF PROTO=TCP SPT=${String(sourcePort)} DPT=${String(port)} WINDOW=64240 RES=0x00 SYN URGP=0\n`,
    )
    .join('');
}

function countersOf({ server }: Running): Readonly<Record<string, number>> {
  return server.status().modes['sequence'] ?? {};
}

/** Lets the server look at its log until a counter has come so far. */
async function reaches(gate: Running, counter: string, count: number): Promise<void> {
  await until(
    () => {
      gate.clock.advance(20);
      return (countersOf(gate)[counter] ?? 0) >= count;
    },
    `${counter} to be ${String(count)}`,
  );
}

test('lines of the firewall’s log open the door, and the start says who gets the better of it', async (t) => {
  const gate = await open(t);
  t.true(gate.log.lines.some(({ fields }) => String(fields['falls_to']).includes('{A1,A2}')));
  await appendFile(gate.logFile, await linesOf(gate, 40_000));
  await reaches(gate, 'granted', 1);
  t.like(gate.server.grants()[0], { peer: 'alice', service: 'ssh', source: '192.0.2.7' });
});

test('a service that wants more than nobody’s answer can tell is refused, and the log says why', async (t) => {
  const { folder, logFile } = await furnish(t);
  const alice = await folder.addPeer('alice', { withTotp: true, admission: 'port' });
  const gate = { folder, alice, logFile, ...(await begin(t, folder)) };
  await appendFile(logFile, await linesOf(gate, 40_000));
  await reaches(gate, 'refused', 1);
  t.deepEqual(gate.firewall.transactions, []);
  const refusal = gate.log.lines.find(({ event }) => event === 'refused');
  t.like(refusal?.fields, { peer: 'alice', reason: 'admission-refused' });
  t.regex(String(refusal?.fields['why']), /address and once only/);
});

test('a sequence that is sent again within its step opens nothing', async (t) => {
  const gate = await open(t);
  await appendFile(gate.logFile, await linesOf(gate, 40_000));
  await reaches(gate, 'granted', 1);
  await appendFile(gate.logFile, await linesOf(gate, 40_001));
  await reaches(gate, 'used', 1);
  t.is(gate.server.grants().length, 1);
});

test('lines in pieces, and garbage between them', async (t) => {
  const gate = await open(t);
  const lines = await linesOf(gate, 40_000);
  await appendFile(gate.logFile, `${'x'.repeat(100_000)}\nhknock: IN=\n`);
  await appendFile(gate.logFile, 'Jan 15 08:00:00 gate kernel: hknock: IN=eth0 SRC=1.2\n');
  for (let at = 0; at < lines.length; at += 700) {
    await appendFile(gate.logFile, lines.slice(at, at + 700));
    gate.clock.advance(20);
  }
  await reaches(gate, 'granted', 1);
  t.is(countersOf(gate)['malformed'], 1);
});

test('the log is followed when it is renamed, and when it is copied and cut to nothing', async (t) => {
  const gate = await open(t);
  const lines = (await linesOf(gate, 40_000)).split(/(?<=\n)/);
  await appendFile(gate.logFile, lines.slice(0, 2).join(''));
  await reaches(gate, 'heard', 2);

  await rename(gate.logFile, `${gate.logFile}.1`);
  await appendFile(`${gate.logFile}.1`, lines[2] ?? '');
  await writeFile(gate.logFile, lines[3] ?? '');
  await reaches(gate, 'heard', 4);

  await reaches(gate, 'restarts', 1);
  await copyFile(gate.logFile, `${gate.logFile}.2`);
  await truncate(gate.logFile, 0);
  await reaches(gate, 'restarts', 2);
  await appendFile(gate.logFile, lines.slice(4).join(''));
  await reaches(gate, 'granted', 1);
  t.is(gate.server.grants().length, 1);
});

test('what was in the log before the start is not read', async (t) => {
  const gate = await open(t);
  const lines = await linesOf(gate, 40_000);
  await gate.server.stop();
  await appendFile(gate.logFile, lines);
  const again = await begin(t, gate.folder);
  again.clock.advance(100);
  await appendFile(gate.logFile, lines.split(/(?<=\n)/)[0] ?? '');
  await reaches(again, 'heard', 1);
  t.is(countersOf(again)['heard'], 1);
});

test('steps that cannot be written open nothing, and count when they can be', async (t) => {
  const gate = await open(t);
  const steps = join(gate.folder.path, 'sequence.steps');
  await rename(steps, `${steps}.away`);
  await appendFile(gate.logFile, await linesOf(gate, 40_000));
  await reaches(gate, 'failed', 1);
  t.deepEqual(gate.server.grants(), []);
  t.true(gate.log.lines.some(({ event, level }) => event === 'knock failed' && level === 'error'));

  await rename(`${steps}.away`, steps);
  await appendFile(gate.logFile, await linesOf(gate, 40_001));
  await reaches(gate, 'granted', 1);
});

test('a clock that was set back opens nothing again, and says why', async (t) => {
  const gate = await open(t);
  await appendFile(gate.logFile, await linesOf(gate, 40_000));
  await reaches(gate, 'granted', 1);
  await gate.server.stop();

  const earlier = await begin(t, gate.folder, NOW - 3_600_000);
  t.true(earlier.log.lines.some(({ event }) => event.startsWith('the clock was set back')));
  await appendFile(gate.logFile, await linesOf(gate, 40_001, earlier.clock));
  await reaches(earlier, 'used', 1);
  t.deepEqual(earlier.server.grants(), []);
});

test('a peer without a key for sequences has none, and one that is revoked has none any more', async (t) => {
  const gate = await open(t);
  const lines = await linesOf(gate, 40_000);
  const bob = await gate.folder.addPeer('bob');
  t.is((await faultOf(() => sequenceNow(bob))).code, 'usage');
  await rm(join(gate.folder.path, 'peers', 'alice.toml'));
  await gate.server.reload();
  await appendFile(gate.logFile, lines);
  await reaches(gate, 'heard', 6);
  t.is(countersOf(gate)['granted'], 0);
});

test('a log that is not there ends the start, with the services as they were', async (t) => {
  const { folder, logFile } = await furnish(t);
  await rm(logFile);
  const { options, firewall } = partsFor(folder);
  t.is(
    (await faultOf(() => Server.start({ ...options, modes: [startSequenceMode] }))).code,
    'host',
  );
  t.is(firewall.left, 'open');
});
