// client 10.77.0.2-4, fd00:77::2-4 ---- 10.77.0.1, fd00:77::1 server: echo services on ports 7001 and 7002
import { readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { HknockError } from '../../src/errors/hknock-error.ts';
import { createNftables } from '../../src/firewall/nftables/nftables.ts';
import type { Clock } from '../../src/host/clock.ts';
import { FakeClock } from '../../src/host/fake-clock.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import type { Firewall } from '../../src/host/firewall.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import type { PeerName } from '../../src/units/names.ts';
import { netTest } from '../support/capabilities.ts';
import { type Namespace, until } from '../support/netns.ts';
import {
  type Bench,
  getsIn,
  isAlive,
  isDead,
  isKeptOut,
  open,
  opening,
  table,
  tcp,
  transaction,
  udp,
} from '../unit/firewall/bench.ts';
import { conforms } from '../unit/firewall/conformance.ts';
import { stageForFile } from '../unit/firewall/namespace-stage.ts';

const stage = stageForFile();

interface Parts {
  readonly clock?: Clock;
  readonly log?: FakeLog;
  readonly nft?: string;
}

function create({
  clock = createSystemClock(),
  log = new FakeLog(),
  nft = 'nft',
}: Parts = {}): Firewall {
  const inServer = (program: string): readonly string[] => stage().server.argv([program]);
  return createNftables({
    table,
    clock,
    log,
    nft: inServer(nft),
    conntrack: inServer('conntrack'),
  });
}

conforms({
  name: 'nftables',
  declare: netTest.serial,
  bench: () => stage().bench,
  create: () => create(),
  can: { once: true, cut: true },
});

interface Running {
  readonly firewall: Firewall;
  readonly log: FakeLog;
  readonly bench: Bench;
  readonly server: Namespace;
  readonly source: string;
  readonly port: number;
}

/** A firewall that protects the first port, by TCP and UDP. */
async function start(t: ExecutionContext, nft = 'nft'): Promise<Running> {
  const log = new FakeLog();
  const firewall = create({ log, nft });
  t.teardown(() => firewall.stop('open'));
  const { bench, server } = stage();
  const [port] = bench.ports;
  await firewall.start([bench.protect(tcp(port)), bench.protect(udp(port))]);
  return { firewall, log, bench, server, port, source: bench.sources.v4[0] ?? '' };
}

async function nft(...args: readonly string[]): Promise<string> {
  return (await stage().server.exec(['nft', ...args])).stdout;
}

/** Sends a signal to the nft that the firewall keeps; it may just be starting. */
async function signalNft(signal: NodeJS.Signals): Promise<void> {
  const { server } = stage();
  await until(async () => {
    const { stdout } = await server.exec(['ip', 'netns', 'pids', server.name]);
    return stdout
      .split('\n')
      .filter(Boolean)
      .some((pid) => isNft(pid) && process.kill(Number(pid), signal));
  }, 'nft to run');
}

function isNft(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'nft';
  } catch {
    return false; // it has just ended
  }
}

netTest.serial('beside tables of others, which stay as they are to the byte', async (t) => {
  await nft('add table ip user; add chain ip user input { type filter hook input priority 0; }');
  await nft('add rule ip user input tcp dport 9 counter drop');
  t.teardown(() => nft('delete table ip user').then(() => undefined));
  const before = await nft('list', 'ruleset');
  const { firewall, source, port } = await start(t);
  await open(firewall, opening(source, [tcp(port)]));
  t.true((await nft('list', 'ruleset')).startsWith(before));
  await firewall.stop('open');
  t.is(await nft('list', 'ruleset'), before);
});

netTest.serial('a port without a grant answers nothing: no reset, no ICMP', async (t) => {
  const { bench, port } = await start(t);
  // one that has had no connections yet: those of the tests before may still be saying goodbye
  const source = bench.sources.v4[2] ?? '';
  await nft('add table inet spy; add chain inet spy out { type filter hook output priority 0; }');
  t.teardown(() => nft('delete table inet spy').then(() => undefined));
  await nft(`add rule inet spy out ip daddr ${source} counter`);
  t.true(await isKeptOut(bench, { source, port }));
  t.true(await isKeptOut(bench, { source, port, protocol: 'udp' }));
  t.regex(await nft('list table inet spy'), /counter packets 0 bytes 0/);
  // positive control: the spy sees what is answered
  t.true(await getsIn(bench, { source, port: bench.ports[1] }));
  t.notRegex(await nft('list table inet spy'), /counter packets 0 bytes 0/);
});

netTest.serial('what runs on the server itself reaches the port over loopback', async (t) => {
  const { port } = await start(t);
  const { inside } = stage();
  for (const address of ['127.0.0.1', '10.77.0.1']) {
    const target = { source: address, address, port, waitMs: 5000 };
    t.is(await inside.tcp(address, target), 'echoed');
    await inside.close(address);
  }
});

netTest.serial(
  'a connection that was there before lives on, idle or not, and a restart',
  async (t) => {
    const { bench } = stage();
    const [port] = bench.ports;
    const [source = '', other = ''] = bench.sources.v4;
    t.true(await getsIn(bench, { source, port, name: 'operator' }));
    t.true(await getsIn(bench, { source: bench.sources.v6[0] ?? '', port, name: 'operator6' }));
    const { firewall } = await start(t);
    for (const name of ['operator', 'operator6']) t.true(await isAlive(bench, name));
    t.true(await isKeptOut(bench, { source, port }));
    // so does one that was let in, when the rules go and traffic passes before they come back
    await open(firewall, opening(other, [tcp(port)]));
    t.true(await getsIn(bench, { source: other, port, name: 'guest' }));
    await firewall.stop('open');
    for (const name of ['operator', 'guest']) t.true(await isAlive(bench, name));
    const next = await start(t);
    for (const name of ['operator', 'operator6', 'guest']) t.true(await isAlive(bench, name));
    // and the guest can be cut still: the mark follows from the peer's name
    await next.firewall.apply(transaction({ cuts: [{ peer: 'ann' as PeerName, source: null }] }));
    t.true(await isDead(bench, 'guest'));
    t.true(await isAlive(bench, 'operator'));
    for (const name of ['operator', 'operator6', 'guest']) await bench.agent.close(name);
  },
);

netTest.serial('a cut connection stays dead though the server keeps sending', async (t) => {
  const { bench, inside } = stage();
  await inside.serve({ address: '10.77.0.1', port: 7003, chatter: true });
  const firewall = create();
  t.teardown(() => firewall.stop('open'));
  await firewall.start([bench.protect(tcp(7003))]);
  const [source = ''] = bench.sources.v4;
  await open(firewall, opening(source, [tcp(7003)], { admission: 'once' }));
  t.true(await getsIn(bench, { source, port: 7003, name: 'talk' }));
  await firewall.apply(transaction({ cuts: [{ peer: 'ann' as PeerName, source: null }] }));
  // the server's next packets make new entries of connections by then
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.true(await isDead(bench, 'talk'));
  t.true(await isDead(bench, 'talk'));
  await bench.agent.close('talk');
});

netTest.serial('a stray packet does not use up a grant', async (t) => {
  const { bench, firewall, source, port } = await start(t);
  const old = opening(source, [tcp(port)], { peer: 'old' });
  await open(firewall, old);
  t.true(await getsIn(bench, { source, port, name: 'stray' }));
  // the client does not know that it was cut, and goes on sending
  const cuts = [{ peer: old.peer, source: null }];
  await firewall.apply(transaction({ closes: [old.grant], cuts }));
  await open(firewall, opening(source, [tcp(port)], { admission: 'once', peer: 'new' }));
  t.true(await isDead(bench, 'stray'));
  t.true(await getsIn(bench, { source, port }));
  await bench.agent.close('stray');
});

netTest.serial('UDP: more of one flow gets in before the service has answered', async (t) => {
  const { bench, firewall, source } = await start(t);
  const mute = 7009;
  await firewall.protect([bench.protect(udp(mute))]);
  await nft('add table inet spy; add chain inet spy in { type filter hook input priority 0; }');
  t.teardown(() => nft('delete table inet spy').then(() => undefined));
  await nft(`add rule inet spy in udp dport ${String(mute)} counter`);
  await open(firewall, opening(source, [udp(mute)], { admission: 'once' }));
  const target = { source, sourcePort: 40_009, address: '10.77.0.1', port: mute, waitMs: 50 };
  for (let i = 0; i < 3; i++) await bench.agent.udp('', target);
  await bench.agent.udp('', { ...target, sourcePort: 40_010 });
  t.regex(await nft('list table inet spy'), /counter packets 3 /);
});

netTest.serial('a start replaces what a killed run left, and its grants', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  await open(firewall, opening(source, [tcp(port)]));
  await signalNft('SIGKILL');
  const next = await start(t);
  t.true(await isKeptOut(bench, { source, port }));
  await open(next.firewall, opening(source, [tcp(port)]));
  t.true(await getsIn(bench, { source, port }));
});

netTest.serial("grants end by the kernel's clock when nobody is there to end them", async (t) => {
  const { firewall, bench, source, port } = await start(t);
  await open(firewall, opening(source, [tcp(port)], { lifetimeMs: 4000 }));
  t.true(await getsIn(bench, { source, port, name: 'through' }));
  await signalNft('SIGKILL');
  await until(() => isKeptOut(bench, { source, port }), 'the kernel to end the grant');
  t.true(await isAlive(bench, 'through'));
  await bench.agent.close('through');
});

netTest.serial('nft killed: grants live on, and the next one is opened', async (t) => {
  const { firewall, log, bench, source, port } = await start(t);
  const once = opening(bench.sources.v4[1] ?? '', [tcp(port)], { admission: 'once' });
  await open(firewall, once);
  await signalNft('SIGKILL');
  await open(firewall, opening(source, [tcp(port)]));
  t.true(await getsIn(bench, { source, port }));
  t.true(await getsIn(bench, { source: once.source, port }));
  t.true(log.lines.some(({ event }) => event === 'nft ended'));
});

netTest.serial('nft killed while it works: each answer is true', async (t) => {
  const { firewall, port } = await start(t);
  const opens = Array.from({ length: 2000 }, (_, i) =>
    opening(`10.78.${String(i >> 8)}.${String(i & 255)}`, [tcp(port)], { admission: 'once' }),
  );
  const applied = firewall.apply(transaction({ opens }));
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await signalNft('SIGKILL');
  }
  const failures = await applied;
  const listed = await nft('list map inet hknock once4_0');
  const missing = opens.filter(({ source }) => !listed.includes(` ${source} `));
  t.deepEqual(
    missing.map(({ grant }) => grant),
    [...failures.keys()],
  );
  t.is(failures.size, 0);
});

netTest.serial('a close that nft did not take is told, and made good later', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hknock-nft-'));
  const program = join(folder, 'nft');
  // another file each time: one that is being run cannot be written
  const breakDown = async (broken: boolean): Promise<void> => {
    const script = `#!/bin/sh\n${broken ? 'exit 1' : 'exec nft "$@"'}\n`;
    await writeFile(`${program}.new`, script, { mode: 0o700 });
    await rename(`${program}.new`, program);
  };
  await breakDown(false);
  const { firewall, bench, source, port } = await start(t, program);
  t.teardown(() => rm(folder, { recursive: true }));
  const granted = opening(source, [tcp(port)]);
  await open(firewall, granted);
  await breakDown(true);
  await signalNft('SIGKILL');
  const failures = await firewall.apply(transaction({ closes: [granted.grant] }));
  t.is(failures.get(granted.grant)?.code, 'firewall');
  t.true(await getsIn(bench, { source, port }), 'nobody could shut it');
  await breakDown(false);
  await until(() => isKeptOut(bench, { source, port }), 'the grant to be closed');
});

netTest.serial('nft that is stopped in its tracks is replaced', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  await signalNft('SIGSTOP');
  await open(firewall, opening(source, [tcp(port)]));
  t.true(await getsIn(bench, { source, port }));
});

netTest.serial(
  'ruleset flushed by somebody: put back with the next grant, and grants with it',
  async (t) => {
    const { firewall, log, bench, source, port } = await start(t);
    const [, other = '', third = ''] = bench.sources.v4;
    const used = opening(third, [tcp(port)], { admission: 'once' });
    await open(firewall, opening(source, [tcp(port)]), used);
    t.true(await getsIn(bench, { source: third, port }));
    await nft('flush ruleset');
    await open(firewall, opening(other, [tcp(port)], { admission: 'once' }));
    t.true(await getsIn(bench, { source, port }));
    t.true(await getsIn(bench, { source: other, port }));
    t.true(await isKeptOut(bench, { source: other, port }));
    t.true(await isKeptOut(bench, { source: third, port }));
    t.true(log.lines.some(({ level }) => level === 'warn'));
  },
);

netTest.serial('ruleset flushed by somebody: put back soon though nobody knocks', async (t) => {
  const { bench, log, source, port } = await start(t);
  await nft('flush ruleset');
  await until(() => log.lines.some(({ level }) => level === 'warn'), 'the flush to be noticed');
  await until(() => isKeptOut(bench, { source, port }), 'the table to be put back');
  t.pass();
});

netTest.serial('ruleset flushed by somebody: who came in meanwhile is out again', async (t) => {
  const { bench } = stage();
  const [port] = bench.ports;
  const [operator = '', guest = '', stranger = ''] = bench.sources.v4;
  t.true(await getsIn(bench, { source: operator, port, name: 'operator' }));
  const clock = new FakeClock();
  const firewall = create({ clock });
  t.teardown(() => firewall.stop('open'));
  await firewall.start([bench.protect(tcp(port)), bench.protect(udp(port))]);
  await open(firewall, opening(guest, [tcp(port)], { admission: 'once' }));
  t.true(await getsIn(bench, { source: guest, port, name: 'guest' }));
  // as a reload of the distribution's own rules does it; they ask conntrack, so it knows the stranger
  const own =
    'table inet own { chain in { type filter hook input priority 0; ct state new accept; }; }';
  await nft(`flush ruleset; ${own}`);
  t.teardown(() => nft('delete table inet own').then(() => undefined));
  const flow = { source: stranger, sourcePort: 40_124, port, protocol: 'udp' } as const;
  t.true(await getsIn(bench, flow));
  t.true(await getsIn(bench, { source: stranger, port, name: 'stranger' }));
  t.true(await isAlive(bench, 'guest'));
  clock.advance(250);
  await until(() => isKeptOut(bench, { source: stranger, port }), 'the table to be put back');
  t.true(await isDead(bench, 'stranger'));
  t.true(await isKeptOut(bench, flow));
  for (const name of ['operator', 'guest']) t.true(await isAlive(bench, name));
  for (const name of ['operator', 'guest', 'stranger']) await bench.agent.close(name);
});

netTest.serial('one peer’s unused grants leave room for others at its address', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  const once = (peer: string) => opening(source, [tcp(port)], { admission: 'once', peer });
  const opens = Array.from({ length: 10 }, () => once('ann'));
  const failures = await firewall.apply(transaction({ opens }));
  t.deepEqual(
    [...failures].map(([grant, { code }]) => [grant, code]),
    opens.slice(8).map(({ grant }) => [grant, 'limit']),
  );
  await open(firewall, once('bob'));
  // the first that comes uses up a grant of ann's, so there is room for one more of hers
  t.true(await getsIn(bench, { source, port }));
  await open(firewall, once('ann'));
  for (let i = 0; i < 9; i++) t.true(await getsIn(bench, { source, port }));
  t.true(await isKeptOut(bench, { source, port }));
});

netTest.serial('a grant that the kernel refuses takes no other down', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  const bad = opening('no address', [tcp(port)]);
  const good = opening(source, [tcp(port)]);
  const failures = await firewall.apply(transaction({ opens: [bad, good] }));
  t.deepEqual([...failures.keys()], [bad.grant]);
  t.true(await getsIn(bench, { source, port }));
});

netTest.serial('stop leaves the ports shut or open, as asked', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  await open(firewall, opening(source, [tcp(port)]));
  t.true(await getsIn(bench, { source, port, name: 'through' }));
  await firewall.stop('shut');
  t.true(await isKeptOut(bench, { source, port }));
  t.true(await isAlive(bench, 'through'));
  await firewall.start([bench.protect(tcp(port))]);
  await firewall.stop('open');
  t.true(await getsIn(bench, { source, port }));
  t.is(await nft('list ruleset'), '');
  await bench.agent.close('through');
});

netTest.serial('without conntrack, the start warns and a cut says that it was none', async (t) => {
  const log = new FakeLog();
  const { bench, server } = stage();
  const firewall = createNftables({
    table,
    clock: createSystemClock(),
    log,
    nft: server.argv(['nft']),
    conntrack: ['/nonexistent/conntrack'],
  });
  t.teardown(() => firewall.stop('open'));
  const [port] = bench.ports;
  const [source = ''] = bench.sources.v4;
  await firewall.start([bench.protect(tcp(port))]);
  t.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn'],
  );
  const granted = opening(source, [tcp(port)]);
  await open(firewall, granted);
  const cuts = [{ peer: granted.peer, source: null }];
  const cutting = firewall.apply(transaction({ closes: [granted.grant], cuts }));
  await t.throwsAsync(cutting, { code: 'host' });
  t.true(await isKeptOut(bench, { source, port }), 'the grant is closed all the same');
});

netTest.serial('ports cannot be protected once it has stopped', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  await firewall.stop('open');
  await t.throwsAsync(firewall.protect([bench.protect(tcp(port))]), { code: 'firewall' });
  t.true(await getsIn(bench, { source, port }));
});

netTest('without the nft program, start says so', async (t) => {
  const firewall = createNftables({
    table,
    clock: createSystemClock(),
    log: new FakeLog(),
    nft: ['/nonexistent/nft'],
  });
  await t.throwsAsync(firewall.start([]), { code: 'host' });
  await firewall.stop('open');
});

netTest('without privilege, start says so', async (t) => {
  const firewall = createNftables({
    table,
    clock: createSystemClock(),
    log: new FakeLog(),
    nft: ['setpriv', '--reuid=65534', '--clear-groups', 'nft'],
  });
  const error = await t.throwsAsync<HknockError>(firewall.start([]), { code: 'host' });
  t.regex(error.hint ?? '', /CAP_NET_ADMIN/);
});
