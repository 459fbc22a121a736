// Somebody on the way carries the client's knocks to the server over an address of his own, with the real programs:
//
//   client 192.168.7.2 --- nat (relays UDP as 203.0.113.9) --- 198.51.100.2 server
//   attacker 203.0.113.9 --'
import { netTest } from '../support/capabilities.ts';
import { ask, deploy, type Deployment, knock, servicePort } from '../support/deployment.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { addStranger, strangersAddress } from '../interop/peers/doors.ts';

const target = { address: addresses.server, port: servicePort };

/** From now on the client's datagrams reach the server from the attacker's address, and its connections as before. */
async function relay({ topology: { nat } }: Deployment): Promise<void> {
  const rule = `inet nat postrouting ip saddr ${addresses.client} ip protocol udp snat ip to ${strangersAddress}`;
  await nat.exec(['nft', 'insert', 'rule', ...rule.split(' ')]);
}

netTest(
  'relay, control: a client that expects nothing opens the door for the attacker',
  async (t) => {
    const deployment = await deploy(t);
    const attacker = await addStranger(t, deployment);
    await relay(deployment);
    t.like(await knock(deployment.client), { granted: true, observedAddress: strangersAddress });
    t.is(await visit(attacker, target), welcome);
  },
);

netTest('relay: a client that knows its prefixes sends no proof, and says why', async (t) => {
  const deployment = await deploy(t);
  const { server, client } = deployment;
  const attacker = await addStranger(t, deployment);
  const own = ['knock', 'gate', '--expect', '198.51.100.0/24'];
  t.is((await client.hknock(own)).code, 0, 'control: nobody relays yet');
  t.is(await visit(client, target), welcome);

  await relay(deployment);
  const { code, stderr } = await client.hknock(own, { allowFailure: true });
  t.is(code, 77);
  t.regex(stderr, /sees us at 203\.0\.113\.9.*relay attack/);
  t.like(await knock(client, '--expect', '198.51.100.0/24,192.0.2.1'), {
    granted: false,
    reason: 'unexpected-address',
  });
  t.is(await visit(attacker, target), 'no answer');
  t.like(await ask(server, 'status'), { knocks: { granted: 1, refused: 0 } });
});

netTest('relay: what the profile expects counts for every knock', async (t) => {
  const deployment = await deploy(t);
  const { server, client } = deployment;
  await addStranger(t, deployment);
  const profile = server.path('alice.toml');
  const wary = ['import', profile, '--name', 'gate', '--replace', '--expect', addresses.public];
  await client.hknock(wary);
  t.true((await knock(client)).granted);
  await relay(deployment);
  t.like(await knock(client), { granted: false, reason: 'unexpected-address' });
});
