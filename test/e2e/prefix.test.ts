import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, type Knocked, servicePort } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { interfaceTo } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses, type Topology } from '../support/topology.ts';

/*
 * The network of test/support/topology.ts, whose NAT is a carrier's: it has several public addresses, and gives the client's UDP one
 * and its TCP another of the same /24. The neighbour is given one elsewhere.
 */
const pool = { udp: '198.51.100.1', tcp: '198.51.100.77', elsewhere: '203.0.113.9' } as const;

/** An address of the client's besides the one it knocks from, in the same /64. */
const sibling6 = '2001:db8:7::77';

const service = { address: addresses.server, port: servicePort };
const once = ['--admission', 'once'];
const service6 = { address: addresses.server6, port: servicePort };

netTest(
  'a grant for the prefix lets in who connects from another address of the pool, and nobody from outside it',
  async (t) => {
    const { topology, server, client, neighbour, daemon } = await deploy(t, {
      hosts: [addresses.server, addresses.server6],
      ttl: '60s',
      configure: (text) =>
        text.replace('[services.web]', '[services.web]\nprefix = true\nadmission = "address"'),
    });
    await spread(topology);
    t.like(await knock(client, 'gate', '--prefix'), { granted: false, reason: 'prefix-refused' });
    await enrol(server, client);

    t.like(await knock(client, 'pool', ...once), { granted: true, observedAddress: pool.udp });
    t.is(await visit(client, service), 'no answer', 'the connection comes from elsewhere');
    t.like(await knock(client, 'pool', '--prefix', '--admission', 'port'), {
      reason: 'admission-refused',
    });

    const granted = await knock(client, 'pool', '--prefix', ...once);
    t.like(granted, { granted: true, admission: 'once', prefix: '198.51.100.0/24' });
    t.is(await visit(neighbour, service), 'no answer', 'outside the prefix');
    t.is(await visit(client, service), welcome);
    t.is(await visit(client, service), 'no answer', 'used up');
    t.regex((await server.hknock(['grants'])).stdout, /198\.51\.100\.0\/24/);
    const [, listed] = JSON.parse((await server.hknock(['grants', '--json'])).stdout) as readonly {
      readonly prefix?: string;
    }[];
    t.is(listed?.prefix, '198.51.100.0/24');
    await daemon.writes(/ warn granted .*prefix=198\.51\.100\.0\/24/);

    t.like(await knock(client, 'pool', '--prefix'), { granted: true, admission: 'address' });
    const conversation = await Conversation.over(
      client.start(
        client.argv('connect', addresses.server, 'web', '--profile', 'pool', '--prefix'),
      ),
    );
    t.is(await visit(client, service), welcome, 'by the grant for any number of connections');
    t.true(await conversation.isAlive());
    await server.hknock(['close', '--cut', await wideGrant(server)]);
    t.false(await conversation.isAlive(1000), 'cut');
    t.is(await visit(client, service), 'no answer');

    t.like(await knock(client, 'pool', addresses.server6), { observedAddress: addresses.client6 });
    t.is(await visit(client, { ...service6, from: sibling6 }), 'no answer');
    const granted6 = await knock(client, 'pool', addresses.server6, '--prefix', ...once);
    t.like(granted6, { granted: true, prefix: '2001:db8:7::/64' });
    t.is(await visit(neighbour, service6), 'no answer', 'another /64');
    t.is(await visit(client, { ...service6, from: sibling6 }), welcome);
    t.is(await visit(client, { ...service6, from: sibling6 }), 'no answer', 'used up');
  },
);

/** Gives the NAT its public addresses, and the client a second one of its own. */
async function spread({ client, nat, server }: Topology): Promise<void> {
  const outside = interfaceTo(server);
  for (const each of [`${pool.tcp}/24`, `${pool.elsewhere}/32`]) {
    await nat.exec(['ip', 'addr', 'add', each, 'dev', outside]);
  }
  const rules = [
    'flush chain inet nat postrouting',
    ...[
      `ip saddr ${addresses.neighbour} snat ip to ${pool.elsewhere}`,
      `ip saddr ${addresses.client} meta l4proto udp snat ip to ${pool.udp}`,
      `ip saddr ${addresses.client} meta l4proto tcp snat ip to ${pool.tcp}`,
    ].map((rule) => `add rule inet nat postrouting oifname "${outside}" ${rule}`),
  ];
  await nat.exec(['nft', '-f', '-'], { input: `${rules.join('\n')}\n` });
  // deprecated: it is used only by who asks for it
  const second = [`${sibling6}/64`, 'dev', interfaceTo(nat), 'nodad', 'preferred_lft', '0'];
  await client.exec(['ip', 'addr', 'add', ...second]);
}

/** Makes a peer that may have prefixes, whose profile the client calls `pool`. */
async function enrol(server: Machine, client: Machine): Promise<void> {
  const profile = server.path('bob.toml');
  const add = ['peer', 'add', 'bob', '--service', 'web', '--prefix', '--out', profile];
  await server.hknock(add);
  await client.hknock(['import', profile, '--name', 'pool']);
}

/** Knocks over IPv4, if no other of the server's addresses is said. */
async function knock(
  client: Machine,
  profile: string,
  ...args: readonly string[]
): Promise<Knocked & { readonly prefix?: string }> {
  const [first = ''] = args;
  const [host, options] = first.includes(':') ? [first, args.slice(1)] : [addresses.server, args];
  const all = ['knock', host, 'web', '--profile', profile, ...options, '--json'];
  const { stdout } = await client.hknock(all, { allowFailure: true });
  return JSON.parse(stdout) as Knocked & { readonly prefix?: string };
}

/** The grant for any number of connections from the prefix. */
async function wideGrant(server: Machine): Promise<string> {
  const grants = (await ask(server, 'grants')) as readonly { id: string; admission: string }[];
  return grants.find(({ admission }) => admission === 'address')?.id ?? 'none';
}
