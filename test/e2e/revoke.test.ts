import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, enrol, knock, servicePort } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { grantsInKernel } from '../support/ruleset.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

netTest('revoke: grants end and connections are cut at once, those of nobody else', async (t) => {
  const { server, client, neighbour } = await deploy(t);
  await enrol(server, neighbour, { peer: 'bob', services: 'web' });
  // one after the other: of two grants that wait for one address, either connection may take either (decision 5)
  const alice = await Conversation.begin(client);
  const bob = await Conversation.begin(neighbour);
  t.true((await knock(client)).granted);
  t.true((await peersWithGrants(server)).includes('alice'));

  await server.hknock(['peer', 'revoke', 'alice']);
  t.is(await grantsInKernel(server.place), 0);
  const [aliceLives, bobLives, seen, { code }] = await Promise.all([
    alice.isAlive(1000),
    bob.isAlive(),
    visit(client, target),
    client.hknock(['knock', 'gate'], { allowFailure: true }),
  ]);
  t.false(aliceLives);
  t.true(bobLives);
  t.is(seen, 'no answer');
  t.is(code, 69, 'to the server she is a stranger now');
  t.false((await peersWithGrants(server)).includes('alice'));
});

async function peersWithGrants(server: Machine): Promise<readonly string[]> {
  const grants = (await ask(server, 'grants')) as readonly { peer: string }[];
  return grants.map(({ peer }) => peer);
}

netTest('rotate: the old profile meets silence, the new one gets in', async (t) => {
  const { server, client } = await deploy(t);
  const renewed = server.path('renewed.toml');
  await server.hknock(['peer', 'rotate', 'alice', '--out', renewed]);
  const { code } = await client.hknock(['knock', 'gate'], { allowFailure: true });
  t.is(code, 69);
  t.like(await ask(server, 'status'), { knocks: { answered: 0, granted: 0 } });

  await client.hknock(['import', renewed, '--name', 'gate', '--replace']);
  t.true((await knock(client)).granted);
  t.is(await visit(client, target), welcome);
});
