// client 10.77.0.2-4, fd00:77::2-4 ---- 10.77.0.1, fd00:77::1 server: echo services on ports 7001 and 7002
import type { ExecutionContext } from 'ava';
import { createNftables } from '../../src/firewall/nftables/nftables.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import type { Firewall, Opening } from '../../src/host/firewall.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import type { PeerName } from '../../src/units/names.ts';
import type { Port, Protocol } from '../../src/units/network.ts';
import { netTest } from '../support/capabilities.ts';
import { until } from '../support/netns.ts';
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

const stage = stageForFile();

interface Running {
  readonly firewall: Firewall;
  readonly log: FakeLog;
  readonly bench: Bench;
  readonly source: string;
  readonly port: number;
}

/** A firewall that protects both ports, by TCP and UDP. */
async function start(t: ExecutionContext): Promise<Running> {
  const { bench, server } = stage();
  const log = new FakeLog();
  const firewall = createNftables({
    table,
    clock: createSystemClock(),
    log,
    nft: server.argv(['nft']),
    conntrack: server.argv(['conntrack']),
  });
  t.teardown(() => firewall.stop('open'));
  await firewall.start(
    bench.ports.flatMap((port) => [bench.protect(tcp(port)), bench.protect(udp(port))]),
  );
  return { firewall, log, bench, port: bench.ports[0], source: bench.sources.v4[0] ?? '' };
}

async function nft(...args: readonly string[]): Promise<string> {
  return (await stage().server.exec(['nft', ...args])).stdout;
}

/** A grant with a secret port to a service of one port. */
function behind(
  secret: number,
  source: string,
  { port, protocol = 'tcp', ...options }: Way,
): Opening {
  const target = protocol === 'tcp' ? tcp(port) : udp(port);
  const door = { admissionPort: secret as Port };
  return opening(source, [target], { admission: 'port', door, ...options });
}

interface Way extends GrantOptions {
  readonly port: number;
  readonly protocol?: Protocol;
}

/** A grant for the one connection that begins with this number. */
function numbered(
  initialSequence: number,
  source: string,
  { port, ...options }: Omit<Way, 'protocol'>,
): Opening {
  return opening(source, [tcp(port)], {
    admission: 'bound',
    door: { initialSequence },
    ...options,
  });
}

/** To a port on which nothing is led anywhere, the system answers with a reset or an ICMP. */
async function isLedNowhere(bench: Bench, source: string, port: number): Promise<boolean> {
  return !(await getsIn(bench, { source, port }));
}

for (const family of ['v4', 'v6'] as const) {
  netTest.serial(`port: one TCP connection to the secret port, ${family}`, async (t) => {
    const { firewall, bench, port } = await start(t);
    const [source = '', other = ''] = bench.sources[family];
    await open(firewall, behind(20_001, source, { port }));
    t.true(await isKeptOut(bench, { source, port }), 'the plain port');
    t.true(await isLedNowhere(bench, other, 20_001), 'somebody else');
    t.true(await isLedNowhere(bench, source, 20_002), 'another port');
    t.true(await getsIn(bench, { source, port: 20_001, name: 'through' }));
    t.true(await isLedNowhere(bench, source, 20_001), 'a second time');
    t.true(await isKeptOut(bench, { source, port }));
    t.true(await isAlive(bench, 'through'));
    await bench.agent.close('through');
  });

  netTest.serial(`port: one UDP flow to the secret port, ${family}`, async (t) => {
    const { firewall, bench, port } = await start(t);
    const [source = ''] = bench.sources[family];
    const granted = behind(20_003, source, { port, protocol: 'udp' });
    await open(firewall, granted);
    const flow = { source, sourcePort: 41_001, port: 20_003, protocol: 'udp' } as const;
    t.true(await isLedNowhere(bench, source, 20_003), 'by TCP');
    t.true(await getsIn(bench, flow));
    t.true(await getsIn(bench, flow), 'more of the flow');
    t.false(await getsIn(bench, { ...flow, sourcePort: 41_002 }), 'another flow');
    await firewall.apply(transaction({ closes: [granted.grant] }));
    t.true(await getsIn(bench, flow), 'it outlives its grant');
    await firewall.apply(transaction({ cuts: [{ peer: granted.peer, source: null }] }));
    t.false(await getsIn(bench, flow), 'it was cut');
  });

  netTest.serial(`bound: the one SYN with the right number, ${family}`, async (t) => {
    const { firewall, bench, port } = await start(t);
    const [source = '', other = ''] = bench.sources[family];
    const sequence = 0xdead_beef;
    await open(firewall, numbered(sequence, source, { port }));
    t.true(await isKeptOut(bench, { source, port }), 'a number of the system');
    t.true(await isKeptOut(bench, { source, port, sequence: sequence - 1 }), 'a wrong number');
    t.true(await isKeptOut(bench, { source: other, port, sequence }), 'somebody else');
    t.true(await isKeptOut(bench, { source, port: bench.ports[1], sequence }), 'another port');
    t.true(await getsIn(bench, { source, port, sequence, name: 'through' }));
    t.true(await isKeptOut(bench, { source, port, sequence }), 'a second time');
    t.true(await isAlive(bench, 'through'));
    await bench.agent.close('through');
  });
}

for (const family of ['v4', 'v6'] as const) {
  netTest.serial(
    `port: guesses consume nothing, and too many close the grant, ${family}`,
    async (t) => {
      const { firewall, log, bench, port } = await start(t);
      const [source = '', other = ''] = bench.sources[family];
      const guess = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) await isLedNowhere(bench, source, 25_000 + i);
      };
      await open(firewall, behind(20_010, source, { port }));
      await guess(table.portGuesses - 1);
      t.true(await getsIn(bench, { source, port: 20_010 }));

      await open(firewall, behind(20_011, source, { port }));
      await guess(table.portGuesses);
      t.true(await isLedNowhere(bench, source, 20_011), 'the kernel itself has shut the door');
      await open(firewall, behind(20_012, other, { port }));
      t.true(await getsIn(bench, { source: other, port: 20_012 }), 'for this address only');
      const isTold = (): boolean => log.lines.some(({ fields }) => fields['source'] === source);
      await until(isTold, 'the guesses to be seen');
      await guess(1); // a late one, before there is anything to guess at
      await open(firewall, behind(20_013, source, { port }));
      t.true(await isLedNowhere(bench, source, 20_011), 'the next grant does not bring it back');
      t.true(await getsIn(bench, { source, port: 20_013 }), 'and counts anew');
    },
  );
}

netTest.serial('port: who connects beside the range is not counted', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  await open(firewall, behind(20_014, source, { port }));
  for (let i = 0; i < 2 * table.portGuesses; i++) {
    await isLedNowhere(bench, source, 30_000 + i);
  }
  t.true(await getsIn(bench, { source, port: 20_014 }));
});

netTest.serial('bound: who tries too many numbers a second is not looked at', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  // one number in a hundredth of a second is looked at all the same, and that may be the right one
  for (let sequence = 77; sequence < 82; sequence++) {
    await open(firewall, numbered(sequence, source, { port }));
    if (!(await isKeptOut(bench, { source, port, sequence, behind: 300 }))) continue;
    t.true(await getsIn(bench, { source, port, sequence }), 'and the grant is there still');
    return;
  }
  t.fail('none of five was kept out');
});

for (const admission of ['port', 'bound'] as const) {
  /** A grant of this admission, and how to use it. */
  const grant = (n: number, source: string, way: Omit<Way, 'protocol'>) =>
    admission === 'port'
      ? { opening: behind(21_000 + n, source, way), visit: { source, port: 21_000 + n } }
      : { opening: numbered(n, source, way), visit: { source, port: way.port, sequence: n } };
  const shut = async (bench: Bench, visit: ReturnType<typeof grant>['visit']): Promise<boolean> =>
    admission === 'port' ? isLedNowhere(bench, visit.source, visit.port) : isKeptOut(bench, visit);

  netTest.serial(
    `${admission}: a closed grant lets nobody in, and the other one still does`,
    async (t) => {
      const { firewall, bench, source, port } = await start(t);
      const [one, two] = [grant(1, source, { port }), grant(2, source, { port, peer: 'bob' })];
      await open(firewall, one.opening, two.opening);
      await firewall.apply(transaction({ closes: [one.opening.grant] }));
      t.true(await shut(bench, one.visit));
      t.true(await getsIn(bench, two.visit));
      // used up by then: closing it is no error
      t.is((await firewall.apply(transaction({ closes: [two.opening.grant] }))).size, 0);
    },
  );

  netTest.serial(`${admission}: an unused grant ends`, async (t) => {
    const { firewall, bench, source, port } = await start(t);
    const { opening: granted, visit } = grant(3, source, { port, lifetimeMs: 200 });
    await open(firewall, granted);
    await new Promise((resolve) => setTimeout(resolve, 500));
    t.true(await shut(bench, visit));
  });

  netTest.serial(
    `${admission}: a cut ends the connections of its peer and of no other`,
    async (t) => {
      const { firewall, bench, source, port } = await start(t);
      const grants = ['ann', 'bob'].map((peer, n) => grant(4 + n, source, { port, peer }));
      await open(firewall, ...grants.map((each) => each.opening));
      for (const {
        opening: { peer },
        visit,
      } of grants) {
        t.true(await getsIn(bench, { ...visit, name: peer }));
      }
      await firewall.apply(transaction({ cuts: [{ peer: 'ann' as PeerName, source: null }] }));
      t.true(await isDead(bench, 'ann'));
      t.true(await isAlive(bench, 'bob'));
      for (const name of ['ann', 'bob']) await bench.agent.close(name);
    },
  );

  netTest.serial(
    `${admission}: connections outlive a flush of the ruleset, grants for one do not`,
    async (t) => {
      const { firewall, log, bench, source, port } = await start(t);
      const [used, unused] = [grant(6, source, { port }), grant(7, source, { port })];
      await open(firewall, used.opening, unused.opening);
      t.true(await getsIn(bench, { ...used.visit, name: 'through' }));
      await nft('flush ruleset');
      await until(() => log.lines.some(({ level }) => level === 'warn'), 'the flush to be noticed');
      await until(() => isKeptOut(bench, { source, port }), 'the table to be put back');
      t.true(await isAlive(bench, 'through'));
      t.true(await shut(bench, unused.visit));
      const next = grant(8, source, { port });
      await open(firewall, next.opening);
      t.true(await getsIn(bench, next.visit));
      await bench.agent.close('through');
    },
  );

  netTest.serial(
    `${admission}: a neighbour's plain connection takes nothing, nor does ours take his`,
    async (t) => {
      const { firewall, bench, source, port } = await start(t);
      const ours = grant(9, source, { port });
      await open(
        firewall,
        ours.opening,
        opening(source, [tcp(port)], { admission: 'once', peer: 'bob' }),
      );
      t.true(await getsIn(bench, ours.visit));
      t.true(await getsIn(bench, { source, port }));
      t.true(await isKeptOut(bench, { source, port }));
    },
  );

  netTest.serial(`${admission}: leaves rules that stay shut, and none at all`, async (t) => {
    const { firewall, bench, source, port } = await start(t);
    const left = grant(10, source, { port });
    await open(firewall, left.opening);
    await firewall.stop('shut');
    t.true(await shut(bench, left.visit));
    t.true(await isKeptOut(bench, { source, port }));
    const next = await start(t);
    await open(next.firewall, grant(11, source, { port }).opening);
    await next.firewall.stop('open');
    t.is(await nft('list ruleset'), '');
  });
}

netTest.serial('port and bound are for one port, and bound for TCP', async (t) => {
  const { firewall, bench, source, port } = await start(t);
  const wrong = [
    { ...behind(20_020, source, { port }), ports: bench.ports.map(tcp) },
    { ...numbered(20, source, { port }), ports: [udp(port)] },
    opening(source, [tcp(port)], { admission: 'port' }),
    opening(source, [tcp(port)], { admission: 'bound' }),
  ];
  const failures = await firewall.apply(transaction({ opens: wrong }));
  t.deepEqual(
    [...failures.keys()],
    wrong.map(({ grant }) => grant),
  );
});
