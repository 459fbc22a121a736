import { netTest, netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, type Deployment, enrol, knock, servicePort } from '../support/deployment.ts';
import { here, type Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { asNobody } from '../support/nobody.ts';
import { renumber } from '../support/renumber.ts';
import { visit, welcome } from '../support/service.ts';
import { numberNow, scanNumbers, silently, tryOnce, visitWithNumber } from '../support/silent.ts';
import { addresses } from '../support/topology.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';
import type { Profile } from '../../src/store/profile.ts';

const door = { address: addresses.server, port: servicePort };
const door6 = { address: addresses.server6, port: servicePort };

/** The odds of these tests are not to be had in earnest. */
const generously = {
  allow_guessing_odds: 'true',
  guesses_per_day: '100000',
  source_guesses_per_day: '10000',
};

const silent = ['--mode', 'silent'] as const;

interface SilentCounts {
  readonly admitted: number;
  readonly to_gate: number;
  readonly wrong: number;
  readonly unread: number;
}

async function countsOf({ server }: Deployment): Promise<SilentCounts> {
  const { modes } = (await ask(server, 'status')) as { modes: { silent: SilentCounts } };
  return modes.silent;
}

async function talks(begin: Promise<Conversation>, words: string): Promise<Conversation> {
  const conversation = await begin;
  await conversation.say(words);
  return conversation;
}

/** The first of a peer's numbers that has not been used; it has then. */
async function useNumber(machine: Machine, profile: Profile): Promise<number> {
  for (const slot of [0, 1, 2, 3]) {
    const number = numberNow(profile, door, slot);
    if ((await visitWithNumber(machine, door, number)) === welcome) return number;
  }
  throw new Error('none of the numbers lets anybody in');
}

netTest('silent: whoever has a number gets in once, two behind one NAT at once', async (t) => {
  const hosts = [addresses.server, addresses.server6];
  const deployment = await deploy(t, { hosts, configure: (text) => silently(text, generously) });
  const { server, client, neighbour, daemon } = deployment;
  await enrol(server, neighbour, { peer: 'bob', services: 'web' });
  const alice = await readProfileFile(server.path('alice.toml'));
  const bob = await readProfileFile(server.path('bob.toml'));
  t.is(await visit(neighbour, door), 'no answer', 'without a number');

  const [, neighbours] = await Promise.all([
    talks(Conversation.begin(client, ...silent), 'from alice'),
    talks(Conversation.begin(neighbour, ...silent), 'from bob'),
  ]);
  const overIpv6 = client.argv('connect', addresses.server6, '--profile', 'gate', ...silent);
  await talks(Conversation.over(client.start(overIpv6)), 'from alice, over IPv6');
  t.like(await ask(server, 'status'), { knocks: { answered: 0 }, grants: 0 });

  // by the tests' own numbers: the clients' slots were drawn at random
  const used = await useNumber(client, alice);
  const strangers = [
    visitWithNumber(client, door, used),
    visitWithNumber(neighbour, door, used),
    visitWithNumber(client, door6, used),
    visitWithNumber(neighbour, door, 0x12345678),
  ];
  const nobody = 'no answer';
  t.deepEqual(await Promise.all(strangers), [nobody, nobody, nobody, nobody], 'again, or a guess');

  const his = [0, 1, 2, 3].map((slot) => numberNow(bob, door, slot));
  await server.hknock(['peer', 'revoke', 'bob']);
  t.false(await neighbours.isAlive(1000), 'a connection is cut with its peer');
  const seen = await Promise.all(his.map((each) => visitWithNumber(neighbour, door, each)));
  t.deepEqual(seen, [nobody, nobody, nobody, nobody], 'his numbers are gone');
  t.truthy(await useNumber(client, alice), 'control: alice has numbers left');

  await daemon.end();
  await server.serve();
  t.is(await visitWithNumber(client, door, used), nobody, 'nor after a restart');
});

netTestWith('python3', 'setpriv')(
  'silent: a scan of numbers gets nobody in, and shuts the mode for its source alone',
  async (t) => {
    const hosts = [addresses.server, addresses.server6];
    const limits = { slots: '1', guesses_per_day: '200' };
    const deployment = await deploy(t, { hosts, configure: (text) => silently(text, limits) });
    const { client, neighbour } = deployment;
    const sent = await scanNumbers(neighbour, addresses.neighbour, door, 3);
    await until(async () => (await countsOf(deployment)).unread > sent / 2, 'the scan to be seen');
    t.like(await countsOf(deployment), { admitted: 0, wrong: 16 });
    t.true(sent > 10_000, `a scan of ${String(sent)} numbers`);

    const alice = deployment.server.path('alice.toml');
    t.regex(await tryOnce(client, alice), /^no-answer: .*:8080 did not open/, 'the same address');
    const overIpv6 = client.argv('connect', addresses.server6, '--profile', 'gate', ...silent);
    await talks(Conversation.over(client.start(overIpv6)), 'from another address');
    t.true((await knock(client)).granted, 'other modes go on');
    t.is(await visit(client, door), welcome);
  },
);

netTestWith('setpriv')(
  'silent: a client says what it lacks, what a NAT does, and can come as TCP Stealth does',
  async (t) => {
    const { server, client, topology } = await deploy(t, {
      configure: (text) => silently(text, { tcp_stealth: 'true' }),
    });
    const { stdout } = await server.hknock(['doctor'], { allowFailure: true });
    t.regex(stdout, /gets in at tcp\/8080 with odds of 1 in 1,016,560 a day at most/);
    await here.exec(['chown', '-R', 'nobody:nogroup', client.home]);
    const argv = client.argv('connect', 'gate', ...silent);
    const stuck = await client.run(asNobody('', argv), { allowFailure: true });
    t.like(stuck, { code: 69, stdout: '' });
    t.regex(stuck.stderr, /cannot connect as silent mode wants it[^]*CAP_NET_ADMIN/);
    const able = asNobody(',+net_admin', argv);
    t.is(
      (await client.run(able)).stdout,
      `${welcome}\n`,
      'control: the privilege is what it lacks',
    );

    const stealth = client.argv('connect', 'gate', ...silent, '--tcp-stealth');
    const stamped = await client.run(stealth, { allowFailure: true });
    t.regex(stamped.stderr, /is for packets without timestamps[^]*tcp_timestamps=0/);
    await topology.client.exec(['sysctl', '-q', '-w', 'net.ipv4.tcp_timestamps=0']);
    t.is((await client.run(stealth)).stdout, `${welcome}\n`);

    await renumber(topology);
    const said = await tryOnce(client, server.path('alice.toml'));
    t.regex(said, /^no-answer: .*:8080 did not open: perhaps a NAT on the way rewrites/);
  },
);

const throughGate = (text: string): string =>
  silently(text, { guesses_per_day: '2', source_guesses_per_day: '2' })
    .replace(/(\[gate\][^]*?)listen = \[\]/, '$1listen = ["0.0.0.0:62203"]')
    .replace(/(\[services\.web\][^]*)$/, '$1admission = "gate"\n');

netTestWith('python3')('silent: through the gate, whoever scans', async (t) => {
  const deployment = await deploy(t, { configure: throughGate });
  const { client, neighbour, server } = deployment;
  await scanNumbers(neighbour, addresses.neighbour, door, 1);
  await until(async () => (await countsOf(deployment)).unread > 0, 'the source to be shut out');

  const gate = [...silent, '--admission', 'gate'];
  const conversation = await talks(Conversation.begin(client, ...gate), 'past the scan');
  t.like(await countsOf(deployment), { admitted: 0 });
  const alice = await readProfileFile(server.path('alice.toml'));
  const numbers = [0, 1, 2, 3].map((slot) => numberNow(alice, door, slot));
  const seen = await Promise.all(numbers.map((each) => visitWithNumber(neighbour, door, each)));
  t.true(seen.includes('connected, and no word'), 'a number alone leads to a gate that is silent');
  t.false(seen.includes(welcome));
  t.is(await visit(neighbour, { ...door, port: 62_203 }), 'no answer', 'whose own port is shut');

  await server.hknock(['peer', 'revoke', 'alice']);
  t.false(await conversation.isAlive(1000));
});
