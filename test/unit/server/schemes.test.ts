import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { decodeScheme, schemePath } from '../../../src/config/scheme-files.ts';
import type { Call } from '../../../src/sequence/scheme.ts';
import { startSequenceMode } from '../../../src/server/sequence/sequence-mode.ts';
import { Server } from '../../../src/server/server.ts';
import { parsePeerName } from '../../../src/units/names.ts';
import { type IpAddress, parseServicePort } from '../../../src/units/network.ts';
import type { DurationMs } from '../../../src/units/time.ts';
import { until } from '../../support/netns.ts';
import { Folder } from './folder.ts';
import { partsFor, type Running } from './running.ts';

const client = '192.0.2.7';

const fixed = `kind = "fixed"
peer = "alice"
service = "ssh"
open = ["tcp/31", "tcp/32", "tcp/30"]
close = ["tcp/32", "tcp/30", "tcp/31"]
ban = ["tcp/31", "tcp/30", "tcp/32"]
ban_time = "10m"
`;

const open = ['tcp/31', 'tcp/32', 'tcp/30'];
const close = ['tcp/32', 'tcp/30', 'tcp/31'];
const ban = ['tcp/31', 'tcp/30', 'tcp/32'];

/** A server that listens to a firewall's log for one scheme, of whose ports the test writes the lines. */
class Gate {
  readonly running: Running;
  readonly #folder: Folder;
  readonly #logFile: string;
  #sourcePort = 40_000;

  private constructor(running: Running, folder: Folder) {
    this.running = running;
    this.#folder = folder;
    this.#logFile = logOf(folder);
  }

  static async open(
    t: ExecutionContext,
    scheme: string,
    edit?: readonly [RegExp, string],
  ): Promise<Gate> {
    const folder = await Folder.create(t);
    const logFile = logOf(folder);
    await writeFile(logFile, '');
    const path = schemePath(folder.path, 'door');
    await writeFile(path, scheme, { mode: 0o600 });
    await folder.edit(/schemes = \[\]/, 'schemes = ["door"]');
    await folder.edit(/source = "nflog"/, 'source = "log"');
    await folder.edit(/log_file = ".*"/, `log_file = "${logFile}"`);
    if (edit) await folder.edit(...edit);
    await folder.addPeer('alice', { services: ['ssh', 'web'] });
    const { options, ...parts } = partsFor(folder);
    const server = await Server.start({ ...options, modes: [startSequenceMode] });
    t.teardown(() => server.stop());
    return new Gate({ server, ...parts }, folder);
  }

  /** Puts another text into the scheme's file, and has the server read it. */
  async change(scheme: string): Promise<void> {
    await writeFile(schemePath(this.#folder.path, 'door'), scheme);
    await this.running.server.reload();
  }

  /** Whether the log has an event. */
  hasTold(start: string): boolean {
    return this.running.log.lines.some(({ event }) => event.startsWith(start));
  }

  /** Knocks, and waits until a counter stands at a number. */
  async knock(
    packets: readonly string[],
    { from = client, until: [counter, count] }: { from?: string; until: readonly [string, number] },
  ): Promise<void> {
    await appendFile(this.#logFile, packets.map((packet) => this.#line(packet, from)).join(''));
    await until(
      () => {
        this.running.clock.advance(20);
        return (this.counters()[counter] ?? 0) >= count;
      },
      `${counter} to be ${String(count)}`,
    );
  }

  counters(): Readonly<Record<string, number>> {
    return this.running.server.status().modes['sequence'] ?? {};
  }

  /** Who has been let in to what, as `service address`. */
  grants(): readonly string[] {
    return this.running.server.grants().map(({ service, source }) => `${service} ${source}`);
  }

  #line(packet: string, from: string): string {
    const [protocol = '', port = ''] = packet.split('/');
    const tcp = protocol === 'tcp' ? ' WINDOW=64240 RES=0x00 SYN URGP=0' : ' LEN=9';
    return `Jan 15 08:00:00 gate kernel: [1.5] hknock: IN=eth0 OUT= MAC= SRC=${from} DST=198.51.100.2 LEN=60 TOS=0x00 PREC=0x00 TTL=57 ID=1 DF PROTO=${protocol.toUpperCase()} SPT=${String(this.#sourcePort++)} DPT=${port}${tcp}\n`;
  }
}

function logOf({ path }: Folder): string {
  return join(path, 'kern.log');
}

test('a sequence that has been changed counts from the reload on, and ports that are new are asked for a start', async (t) => {
  const gate = await Gate.open(t, fixed);
  const swapped = fixed
    .replace('open =', 'x =')
    .replace('close =', 'open =')
    .replace('x =', 'close =');
  await gate.change(swapped);
  t.false(gate.hasTold('ports that are new'));
  await gate.knock(close, { until: ['granted', 1] });
  await gate.knock(open, { until: ['closed', 1] });
  await gate.change(fixed.replace('"tcp/31"', '"tcp/33"'));
  t.true(gate.hasTold('ports that are new'));
});

test('fixed mapping opens and closes, and the start says who gets the better of it', async (t) => {
  const gate = await Gate.open(t, fixed);
  t.true(
    gate.running.log.lines.some(
      ({ fields }) => fields['scheme'] === 'door' && String(fields['falls_to']).includes('{A1}'),
    ),
  );
  await gate.knock(open, { until: ['granted', 1] });
  t.deepEqual(gate.grants(), [`ssh ${client}`]);
  await gate.knock(close, { from: '192.0.2.8', until: ['closed', 1] });
  t.deepEqual(gate.grants(), [`ssh ${client}`], 'another address closes what is its own');
  await gate.knock(close, { until: ['closed', 2] });
  t.deepEqual(gate.grants(), []);
});

test('a ban closes, cuts, and lasts as long as it was to', async (t) => {
  const gate = await Gate.open(t, fixed);
  await gate.knock(open, { until: ['granted', 1] });
  await gate.knock(ban, { until: ['banned', 1] });
  t.deepEqual(gate.grants(), []);
  t.deepEqual(gate.running.firewall.transactions.at(-1)?.cuts, [
    { peer: parsePeerName('alice'), source: client },
  ] as never);

  await gate.knock(open, { until: ['from banned', 3] });
  await gate.knock(open, { from: '192.0.2.8', until: ['granted', 2] });
  t.deepEqual(gate.grants(), ['ssh 192.0.2.8']);
  gate.running.clock.advance(600_000);
  await gate.knock(open, { until: ['granted', 3] });
});

test('dynamic mapping opens the one port that it tells, and closes it when it comes again', async (t) => {
  const gate = await Gate.open(
    t,
    'kind = "dynamic"\npeer = "alice"\nports = "100-109"\nheader = "203"\nfooter = "302"\n',
  );
  const port443 = [102, 100, 103, 100, 104, 104, 103, 101, 103, 100, 102].map(
    (port) => `tcp/${String(port)}`,
  );
  await gate.knock(port443, { until: ['granted', 1] });
  const [grant] = gate.running.server.grants();
  t.deepEqual(grant?.ports.map(Object.values), [['tcp', 443]]);
  await gate.knock(port443, { until: ['closed', 1] });
  t.deepEqual(gate.grants(), []);
  await gate.knock(port443, { until: ['granted', 2] });
});

test('encrypted mapping lets in the address that it tells, for no longer than the policy says', async (t) => {
  const text = `kind = "encrypted"\npeer = "alice"\nports = "745-1000"\nkey = "${'QUJD'.repeat(8)}"\n`;
  const gate = await Gate.open(t, text, [/ttl = "30s"/, 'ttl = "5m"']);
  const scheme = decodeScheme(text, { file: 'door.toml', code: 'bad-input' });
  const about = { port: parseServicePort('tcp/22'), address: '203.0.113.9' as IpAddress };
  const knocks = (call: Call): readonly string[] =>
    scheme.hits(call).map(({ protocol, port }) => `${protocol}/${String(port)}`);

  const minutes = (count: number): Call => ({
    action: 'open',
    ...about,
    lifetimeMs: (count * 60_000) as DurationMs,
  });
  await gate.knock(knocks(minutes(2)), { until: ['granted', 1] });
  t.deepEqual(gate.grants(), ['ssh 203.0.113.9']);
  t.like(gate.running.server.grants()[0], { lifetimeMs: 120_000 });
  await gate.knock(knocks({ action: 'close', ...about }), { until: ['closed', 1] });
  t.deepEqual(gate.grants(), []);
  await gate.knock(knocks(minutes(254)), { until: ['granted', 2] });
  t.like(gate.running.server.grants()[0], { lifetimeMs: 300_000 });
});

test('fwknop’s encrypted sequence lets in the address that it tells', async (t) => {
  const text = `kind = "fwknop-encrypted"\npeer = "alice"\nkey = "${'BwcH'.repeat(5)}Bw"\nuser = "mbr"\n`;
  const gate = await Gate.open(t, text);
  const scheme = decodeScheme(text, { file: 'door.toml', code: 'bad-input' });
  const about = { port: parseServicePort('tcp/443'), address: '203.0.113.9' as IpAddress };
  const hits = scheme.hits({ action: 'open', ...about });
  const knocks = hits.map(({ protocol, port }) => `${protocol}/${String(port)}`);
  await gate.knock(knocks, { until: ['granted', 1] });
  t.deepEqual(gate.grants(), ['web 203.0.113.9']);
});

test('a peer that is not there has no sequence, and the log says so', async (t) => {
  const gate = await Gate.open(t, fixed.replace('alice', 'bob'));
  t.true(gate.hasTold('a scheme opens nothing'));
  await gate.knock(open, { until: ['refused', 1] });
  t.deepEqual(gate.grants(), []);
});

test('a recorded sequence that is sent again and again is limited', async (t) => {
  const gate = await Gate.open(t, fixed, [/peer_knocks_burst = 50/, 'peer_knocks_burst = 5']);
  await gate.knock(Array(20).fill(open).flat(), { until: ['limited', 1] });
  await gate.knock([], { until: ['heard', 60] });
  t.true((gate.counters()['granted'] ?? 0) >= 5);
});
