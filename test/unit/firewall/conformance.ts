import type { ExecutionContext } from 'ava';
import type { Firewall } from '../../../src/host/firewall.ts';
import type { IpAddress } from '../../../src/units/network.ts';
import type { PeerName } from '../../../src/units/names.ts';
import { until } from '../../support/netns.ts';
import {
  type Bench,
  getsIn,
  isAlive,
  isDead,
  isKeptOut,
  open,
  opening,
  tcp,
  transaction,
  udp,
} from './bench.ts';

export interface Subject {
  readonly name: string;
  readonly declare: (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void;
  readonly bench: () => Bench;
  readonly create: () => Firewall;
  /** What it can do at all. */
  readonly can: { readonly once: boolean; readonly cut: boolean };
}

type Test = (t: ExecutionContext, bench: Bench, firewall: Firewall) => Promise<void>;

/** What every firewall must do, whatever it is made of. */
export function conforms(subject: Subject): void {
  const { name, declare, bench, create, can } = subject;
  const tests = { ...basics, ...(can.once ? oneShots : {}), ...(can.cut ? cuts : {}) };
  for (const [title, test] of Object.entries(tests)) {
    declare(`${name}: ${title}`, async (t) => {
      const firewall = create();
      t.teardown(() => firewall.stop('open'));
      const { ports, protect } = bench();
      await firewall.start(ports.flatMap((port) => [protect(tcp(port)), protect(udp(port))]));
      await test(t, bench(), firewall);
    });
  }
}

const basics: Readonly<Record<string, Test>> = {
  'nobody gets in without a grant, by TCP or UDP, IPv4 or IPv6': async (t, bench) => {
    const { sources, ports } = bench;
    for (const source of [sources.v4[0] ?? '', sources.v6[0] ?? '']) {
      t.true(await isKeptOut(bench, { source, port: ports[0] }));
      t.true(await isKeptOut(bench, { source, port: ports[0], protocol: 'udp' }));
    }
  },

  'a grant lets in its source, by its protocol and port, and nobody else': async (
    t,
    bench,
    firewall,
  ) => {
    const { sources, ports } = bench;
    for (const [source = '', other] of [sources.v4, sources.v6]) {
      await open(firewall, opening(source, [tcp(ports[0])]));
      t.true(await getsIn(bench, { source, port: ports[0] }));
      t.true(await isKeptOut(bench, { source, port: ports[1] }));
      t.true(await isKeptOut(bench, { source, port: ports[0], protocol: 'udp' }));
      if (other !== undefined) t.true(await isKeptOut(bench, { source: other, port: ports[0] }));
    }
  },

  'a grant for UDP lets UDP in': async (t, bench, firewall) => {
    const { sources, ports } = bench;
    for (const [source = ''] of [sources.v4, sources.v6]) {
      await open(firewall, opening(source, [udp(ports[0])]));
      t.true(await getsIn(bench, { source, port: ports[0], protocol: 'udp' }));
      t.true(await isKeptOut(bench, { source, port: ports[0] }));
    }
  },

  'a grant opens all its ports': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    await open(firewall, opening(source, bench.ports.map(tcp)));
    for (const port of bench.ports) t.true(await getsIn(bench, { source, port }));
  },

  'address: any number of connections until the grant ends, and they outlive it': async (
    t,
    bench,
    firewall,
  ) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    await open(firewall, opening(source, [tcp(port)], { lifetimeMs: 6000 }));
    t.true(await getsIn(bench, { source, port, name: 'first' }));
    t.true(await getsIn(bench, { source, port }));
    await until(() => isKeptOut(bench, { source, port }), 'the grant to end');
    t.true(await isAlive(bench, 'first'));
    await bench.agent.close('first');
  },

  'a closed grant lets nobody in any more, and connections live on': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    const granted = opening(source, [tcp(port)]);
    await open(firewall, granted);
    t.true(await getsIn(bench, { source, port, name: 'kept' }));
    await firewall.apply(transaction({ closes: [granted.grant] }));
    t.true(await isKeptOut(bench, { source, port }));
    t.true(await isAlive(bench, 'kept'));
    await firewall.apply(transaction({ closes: [granted.grant] }));
    await bench.agent.close('kept');
  },

  'of two grants for the same source and port, one can be closed': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    const [one, two] = ['ann', 'bob'].map((peer) => opening(source, [tcp(port)], { peer }));
    if (one === undefined || two === undefined) return;
    await open(firewall, one, two);
    await firewall.apply(transaction({ closes: [one.grant] }));
    t.true(await getsIn(bench, { source, port }));
    await firewall.apply(transaction({ closes: [two.grant] }));
    t.true(await isKeptOut(bench, { source, port }));
  },

  'a grant that is closed and opened in one transaction is renewed': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    const short = opening(source, [tcp(port)], { lifetimeMs: 1000 });
    await open(firewall, short);
    const long = opening(source, [tcp(port)], { grant: short.grant });
    const failures = await firewall.apply(transaction({ closes: [short.grant], opens: [long] }));
    t.is(failures.size, 0);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    t.true(await getsIn(bench, { source, port }));
  },

  'calls that overlap take effect in order': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    const granted = opening(source, [tcp(port)]);
    const again = opening(source, [tcp(bench.ports[1])]);
    await Promise.all([
      firewall.apply(transaction({ opens: [granted] })),
      firewall.apply(transaction({ closes: [granted.grant] })),
      firewall.apply(transaction({ opens: [again] })),
    ]);
    t.true(await isKeptOut(bench, { source, port }));
    t.true(await getsIn(bench, { source, port: bench.ports[1] }));
  },

  'one grant that cannot be opened fails alone': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const good = opening(source, [tcp(bench.ports[0])]);
    const bad = opening(source, [tcp(bench.ports[1])], { admission: 'gate' });
    const failures = await firewall.apply(transaction({ opens: [bad, good] }));
    t.deepEqual([...failures.keys()], [bad.grant]);
    t.is(failures.get(bad.grant)?.code, 'firewall');
    t.true(await getsIn(bench, { source, port: bench.ports[0] }));
    t.true(await isKeptOut(bench, { source, port: bench.ports[1] }));
  },

  'grants live on when other ports are protected': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const [kept, added] = bench.ports;
    await firewall.protect([bench.protect(tcp(kept))]);
    await open(firewall, opening(source, [tcp(kept)]));
    t.true(await getsIn(bench, { source, port: kept, name: 'through' }));
    await firewall.protect([bench.protect(tcp(kept)), bench.protect(tcp(added))]);
    t.true(await getsIn(bench, { source, port: kept }));
    t.true(await isAlive(bench, 'through'));
    t.true(await isKeptOut(bench, { source, port: added }));
    await open(firewall, opening(source, [tcp(added)]));
    t.true(await getsIn(bench, { source, port: added }));
    await bench.agent.close('through');
  },

  'after stop nothing is granted, and stopping again does no harm': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    await firewall.stop('shut');
    const late = opening(source, [tcp(bench.ports[0])]);
    const failures = await firewall.apply(transaction({ opens: [late], closes: [late.grant] }));
    t.is(failures.get(late.grant)?.code, 'firewall');
    await firewall.stop('shut');
  },
};

const oneShots: Readonly<Record<string, Test>> = {
  'once: one connection, which outlives the grant, and then nobody': async (t, bench, firewall) => {
    const { sources, ports } = bench;
    for (const [source = ''] of [sources.v4, sources.v6]) {
      await open(firewall, opening(source, [tcp(ports[0])], { admission: 'once' }));
      t.true(await getsIn(bench, { source, port: ports[0], name: source }));
      t.true(await isKeptOut(bench, { source, port: ports[0] }));
      t.true(await isAlive(bench, source));
      await bench.agent.close(source);
    }
  },

  'once: one UDP flow': async (t, bench, firewall) => {
    const { sources, ports } = bench;
    for (const [source = ''] of [sources.v4, sources.v6]) {
      await open(firewall, opening(source, [udp(ports[0])], { admission: 'once' }));
      t.true(await getsIn(bench, { source, port: ports[0], protocol: 'udp' }));
      t.not(
        await bench.agent.udp('', {
          source,
          address: source.includes(':') ? bench.server.v6 : bench.server.v4,
          port: ports[0],
          waitMs: 300,
        }),
        'echoed',
      );
    }
  },

  'once: an unused grant ends': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    await open(firewall, opening(source, [tcp(port)], { admission: 'once', lifetimeMs: 100 }));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    t.true(await isKeptOut(bench, { source, port }));
  },

  'once: two grants for the same source and port are two connections, of two peers or one': async (
    t,
    bench,
    firewall,
  ) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    for (const second of ['ann', 'bob']) {
      const opens = ['ann', second].map((peer) =>
        opening(source, [tcp(port)], { peer, admission: 'once' }),
      );
      await open(firewall, ...opens);
      t.true(await getsIn(bench, { source, port }));
      t.true(await getsIn(bench, { source, port }));
      t.true(await isKeptOut(bench, { source, port }));
    }
  },

  'once: used-up grants leave room for as many new ones as anybody needs': async (
    t,
    bench,
    firewall,
  ) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    for (let i = 0; i < 20; i++) {
      await open(firewall, opening(source, [tcp(port)], { admission: 'once' }));
      t.true(await getsIn(bench, { source, port }));
    }
    t.true(await isKeptOut(bench, { source, port }));
  },

  'once: closing a grant leaves the other for the same source and port': async (
    t,
    bench,
    firewall,
  ) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    const one = opening(source, [tcp(port)], { admission: 'once' });
    await open(firewall, one, opening(source, [tcp(port)], { admission: 'once' }));
    await firewall.apply(transaction({ closes: [one.grant] }));
    t.true(await getsIn(bench, { source, port }));
    t.true(await isKeptOut(bench, { source, port }));
  },
};

const cuts: Readonly<Record<string, Test>> = {
  'a cut ends the connections of its peer and of no other': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const port = bench.ports[0];
    const ann = opening(source, [tcp(port)], { peer: 'ann', admission: 'once' });
    await open(firewall, ann);
    t.true(await getsIn(bench, { source, port, name: 'ann' }));
    await open(firewall, opening(source, [tcp(port)], { peer: 'bob', admission: 'once' }));
    t.true(await getsIn(bench, { source, port, name: 'bob' }));
    await firewall.apply(transaction({ cuts: [{ peer: 'ann' as PeerName, source: null }] }));
    t.true(await isDead(bench, 'ann'));
    t.true(await isAlive(bench, 'bob'));
    for (const name of ['ann', 'bob']) await bench.agent.close(name);
  },

  'a cut can be for one source only': async (t, bench, firewall) => {
    const [here = '', there = ''] = bench.sources.v4;
    const port = bench.ports[0];
    await open(firewall, opening(here, [tcp(port)]), opening(there, [tcp(port)]));
    t.true(await getsIn(bench, { source: here, port, name: 'here' }));
    t.true(await getsIn(bench, { source: there, port, name: 'there' }));
    const cut = { peer: 'ann' as PeerName, source: here as IpAddress };
    await firewall.apply(transaction({ cuts: [cut] }));
    t.true(await isDead(bench, 'here'));
    t.true(await isAlive(bench, 'there'));
    for (const name of ['here', 'there']) await bench.agent.close(name);
  },

  'a cut ends connections over IPv6': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v6;
    const port = bench.ports[0];
    await open(firewall, opening(source, [tcp(port)]));
    t.true(await getsIn(bench, { source, port, name: 'six' }));
    await firewall.apply(transaction({ cuts: [{ peer: 'ann' as PeerName, source: null }] }));
    t.true(await isDead(bench, 'six'));
    await bench.agent.close('six');
  },

  'a cut ends UDP flows': async (t, bench, firewall) => {
    const [source = ''] = bench.sources.v4;
    const flow = { source, port: bench.ports[0], protocol: 'udp', sourcePort: 9123 } as const;
    const granted = opening(source, [udp(flow.port)]);
    await open(firewall, granted);
    t.true(await getsIn(bench, flow));
    await firewall.apply(transaction({ closes: [granted.grant] }));
    t.true(await getsIn(bench, flow));
    await firewall.apply(transaction({ cuts: [{ peer: granted.peer, source: null }] }));
    t.true(await isKeptOut(bench, flow));
  },
};
