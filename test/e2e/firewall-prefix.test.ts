// client 10.77.0.2-4, 10.77.1.2, fd00:77::2-4, fd00:78::2 ---- 10.77.0.1, fd00:77::1 server: echo services on ports 7001 and 7002
import type { ExecutionContext } from 'ava';
import { createNftables } from '../../src/firewall/nftables/nftables.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import type { Firewall, Opening } from '../../src/host/firewall.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import type { PeerName } from '../../src/units/names.ts';
import type { Prefix, ServicePort } from '../../src/units/network.ts';
import { netTest } from '../support/capabilities.ts';
import { interfaceTo, until } from '../support/netns.ts';
import {
  type Bench,
  getsIn,
  type GrantOptions,
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
import { stageForFile } from '../unit/firewall/namespace-stage.ts';

/** The client's addresses outside the prefixes of its others. */
const outside = { v4: '10.77.1.2', v6: 'fd00:78::2' } as const;

const stage = stageForFile(async ({ client, server }) => {
  const [there, back] = [interfaceTo(server), interfaceTo(client)];
  for (const [address, length] of [
    [outside.v4, '32'],
    [outside.v6, '128'],
  ] as const) {
    await client.exec(['ip', 'addr', 'add', `${address}/${length}`, 'dev', there]);
    await server.exec(['ip', 'route', 'add', `${address}/${length}`, 'dev', back]);
  }
});

interface Running {
  readonly firewall: Firewall;
  readonly bench: Bench;
  readonly port: number;
  /** Three addresses of one /24, and one of another. */
  readonly v4: readonly [string, string, string, string];
}

/** A firewall that protects both ports, by TCP and UDP. */
async function start(t: ExecutionContext): Promise<Running> {
  const { bench, server } = stage();
  const firewall = createNftables({
    table,
    clock: createSystemClock(),
    log: new FakeLog(),
    nft: server.argv(['nft']),
    conntrack: server.argv(['conntrack']),
  });
  t.teardown(() => firewall.stop('open'));
  await firewall.start(
    bench.ports.flatMap((port) => [bench.protect(tcp(port)), bench.protect(udp(port))]),
  );
  const [a = '', b = '', c = ''] = bench.sources.v4;
  return { firewall, bench, port: bench.ports[0], v4: [a, b, c, outside.v4] };
}

/** A grant for the prefix of an address. */
function around(
  source: string,
  ports: readonly ServicePort[],
  options: GrantOptions = {},
): Opening {
  return { ...opening(source, ports, { admission: 'once', ...options }), breadth: 'prefix' };
}

netTest.serial(
  'the first connection from any address of the prefix uses the grant up',
  async (t) => {
    const { firewall, bench, port, v4 } = await start(t);
    const [here, other, third, stranger] = v4;
    for (const target of [tcp(port), udp(port)]) {
      const { protocol } = target;
      await open(firewall, around(here, [target]));
      t.true(await isKeptOut(bench, { source: stranger, port, protocol }));
      t.true(await getsIn(bench, { source: other, port, protocol, sourcePort: 40_201 }));
      for (const source of [here, third]) {
        t.true(await isKeptOut(bench, { source, port, protocol, sourcePort: 40_202 }));
      }
    }
    const [here6 = '', other6 = ''] = bench.sources.v6;
    await open(firewall, around(here6, [tcp(port)]));
    t.true(await isKeptOut(bench, { source: outside.v6, port }));
    t.true(await getsIn(bench, { source: other6, port }));
    t.true(await isKeptOut(bench, { source: here6, port }));
  },
);

netTest.serial(
  'grants of several peers for one prefix stand side by side, and those for an address are used first',
  async (t) => {
    const { firewall, bench, port, v4 } = await start(t);
    const [here, other, third] = v4;
    const peers = ['ann', 'bob', 'cat'];
    await open(firewall, ...peers.map((peer) => around(here, [tcp(port)], { peer })));
    for (const source of v4.slice(0, 3)) t.true(await getsIn(bench, { source, port }));
    t.true(await isKeptOut(bench, { source: other, port }));

    await open(firewall, around(here, [tcp(port)]));
    await open(firewall, opening(other, [tcp(port)], { peer: 'bob', admission: 'once' }));
    t.true(await getsIn(bench, { source: other, port }), "by bob's own");
    t.true(await getsIn(bench, { source: third, port }), "by ann's, which is left");
    t.true(await isKeptOut(bench, { source: third, port }));
  },
);

netTest.serial(
  'one for any number of connections is renewed, put back after a flush, closed, and ends',
  async (t) => {
    const { firewall, bench, port, v4 } = await start(t);
    const [here, other, third, stranger] = v4;
    const grant = around(here, [tcp(port)], { admission: 'address' });
    await open(firewall, grant);
    await firewall.apply(transaction({ opens: [grant], closes: [grant.grant] }));
    await stage().server.exec(['nft', 'flush', 'ruleset']);
    await until(
      () => isKeptOut(bench, { source: stranger, port }),
      'the table to be put back',
      30_000,
    );
    for (const source of [here, other, third]) t.true(await getsIn(bench, { source, port }));
    t.is((await firewall.apply(transaction({ closes: [grant.grant] }))).size, 0);
    t.true(await isKeptOut(bench, { source: other, port }));
    await open(firewall, { ...grant, lifetimeMs: 500 as never });
    await until(() => isKeptOut(bench, { source: other, port }), 'its end', 30_000);
  },
);

netTest.serial(
  'a cut can be for the prefix, and a flow from any of its addresses keeps the grant',
  async (t) => {
    const { firewall, bench, v4 } = await start(t);
    // the other one had flows in the tests before, which conntrack has not forgotten
    const [, port] = bench.ports;
    const [here, other, third, stranger] = v4;
    const both = around(here, [tcp(port), udp(port)], { admission: 'address' });
    await open(firewall, both, opening(third, [tcp(port)], { peer: 'bob', admission: 'once' }));
    await open(firewall, opening(stranger, [tcp(port)]));
    t.true(await getsIn(bench, { source: other, port, name: 'ann' }));
    t.true(await getsIn(bench, { source: third, port, name: 'bob' }));
    t.true(await getsIn(bench, { source: stranger, port, name: 'far' }));
    t.deepEqual([...((await firewall.inUse?.([both])) ?? [])], []);
    t.true(await getsIn(bench, { source: other, port, protocol: 'udp', sourcePort: 40_301 }));
    t.deepEqual([...((await firewall.inUse?.([both])) ?? [])], [both.grant]);

    const cut = { peer: 'ann' as PeerName, source: '10.77.0.0/24' as Prefix };
    await firewall.apply(transaction({ closes: [both.grant], cuts: [cut] }));
    t.true(await isDead(bench, 'ann'));
    for (const name of ['bob', 'far']) t.true(await isAlive(bench, name));
    for (const name of ['ann', 'bob', 'far']) await bench.agent.close(name);
  },
);

netTest.serial('what has a key of its own cannot be for a prefix', async (t) => {
  const { firewall, port, v4 } = await start(t);
  const [here] = v4;
  const wrong = around(here, [tcp(port)], { admission: 'bound', door: { initialSequence: 7 } });
  t.is((await firewall.apply(transaction({ opens: [wrong] }))).get(wrong.grant)?.code, 'firewall');
});
