import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

netTest(
  'behind a NAT with random ports: one grant, one connection, the neighbour none',
  async (t) => {
    const { client, neighbour } = await deploy(t);
    t.not(await visit(client, target), welcome);

    const knocked = await knock(client);
    t.like(knocked, {
      granted: true,
      observedAddress: addresses.public,
      claimedAddress: addresses.client,
      behindNat: true,
      admission: 'once',
    });
    t.is(await visit(client, target), welcome);
    t.deepEqual(
      await Promise.all([visit(client, target), visit(neighbour, target)]),
      ['no answer', 'no answer'],
      'the grant was for one connection',
    );

    const conversation = await Conversation.begin(client, 'web');
    t.is(await visit(neighbour, target), 'no answer');
    await conversation.say('half past three');
    t.is(await conversation.end(), 0);
  },
);

netTest('behind two NATs, as with a carrier that shares its addresses', async (t) => {
  const { client, neighbour } = await deploy(t, { cgnat: true });
  t.like(await knock(client), {
    granted: true,
    observedAddress: addresses.public,
    claimedAddress: addresses.client,
    behindNat: true,
  });
  t.is(await visit(client, target), welcome);
  t.is(await visit(neighbour, target), 'no answer');
});
