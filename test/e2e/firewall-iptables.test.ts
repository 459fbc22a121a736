// client 10.77.0.2-4, fd00:77::2-4 ---- 10.77.0.1, fd00:77::1 server: echo services on ports 7001 and 7002
import type { ExecutionContext } from 'ava';
import { createIptables } from '../../src/firewall/iptables/iptables.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import type { Firewall } from '../../src/host/firewall.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { netTest } from '../support/capabilities.ts';
import { until } from '../support/netns.ts';
import { getsIn, isAlive, isKeptOut, open, opening, tcp } from '../unit/firewall/bench.ts';
import { conforms } from '../unit/firewall/conformance.ts';
import { stageForFile } from '../unit/firewall/namespace-stage.ts';

const stage = stageForFile();

function create(log = new FakeLog()): Firewall {
  return createIptables({ clock: createSystemClock(), log, prefix: stage().server.argv([]) });
}

conforms({
  name: 'iptables',
  declare: netTest.serial,
  bench: () => stage().bench,
  create,
  can: { once: true, cut: true },
});

/** A firewall that protects the first port. */
async function start(t: ExecutionContext, log = new FakeLog()) {
  const firewall = create(log);
  t.teardown(() => firewall.stop('open'));
  const { bench, server } = stage();
  const [port] = bench.ports;
  await firewall.start([bench.protect(tcp(port))]);
  return { firewall, bench, server, port, source: bench.sources.v4[0] ?? '' };
}

netTest.serial('the rules of others stay as they are, and nothing of ours is left', async (t) => {
  const { server } = stage();
  const rules = async (): Promise<string> => (await server.exec(['iptables-save'])).stdout;
  const counters = (text: string): string => text.replace(/^[#:].*$|\[\d+:\d+\]/gm, '');
  await server.exec(['iptables', '-t', 'mangle', '-A', 'INPUT', '-s', '192.0.2.1', '-j', 'DROP']);
  const before = counters(await rules());
  const { firewall } = await start(t);
  t.not(counters(await rules()), before);
  await firewall.stop('open');
  t.is(counters(await rules()), before);
  t.notRegex((await server.exec(['ipset', 'list', '-n'])).stdout, /hknock/);
  await server.exec(['iptables', '-t', 'mangle', '-F', 'INPUT']);
});

netTest.serial('connections that were there before their port was protected live on', async (t) => {
  const { bench } = stage();
  const [port] = bench.ports;
  const source = bench.sources.v4[0] ?? '';
  t.true(await getsIn(bench, { source, port, name: 'old' }));
  await start(t);
  t.true(await isAlive(bench, 'old'));
  t.true(await isKeptOut(bench, { source, port }));
  await bench.agent.close('old');
});

netTest.serial('rules flushed by somebody: put back soon, with the grants', async (t) => {
  const log = new FakeLog();
  const { firewall, bench, server, port, source } = await start(t, log);
  await open(firewall, opening(source, [tcp(port)]));
  await server.exec(['iptables', '-t', 'mangle', '-F']);
  const [, other = ''] = bench.sources.v4;
  const putBack = (): boolean =>
    log.lines.some(({ event }) => event === 'our firewall rules were gone and are put back');
  await until(putBack, 'a word of it');
  await until(() => isKeptOut(bench, { source: other, port }), 'the rules to be put back');
  t.true(await getsIn(bench, { source, port }));
});

netTest.serial('a start replaces what a killed run left, and its grants', async (t) => {
  const killed = await start(t);
  await open(killed.firewall, opening(killed.source, [tcp(killed.port)]));
  const { bench, port, source } = await start(t);
  t.true(await isKeptOut(bench, { source, port }));
});

netTest.serial('stop leaves the ports shut when asked', async (t) => {
  const { firewall, bench, port, source } = await start(t);
  await open(firewall, opening(source, [tcp(port)]));
  await firewall.stop('shut');
  t.true(await isKeptOut(bench, { source, port }));
  await (await start(t)).firewall.stop('open');
  t.true(await getsIn(bench, { source, port }));
});
