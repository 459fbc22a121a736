import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { until } from '../support/netns.ts';
import { grantsInKernel } from '../support/ruleset.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

netTest(
  'the server killed with grants open: the kernel ends them, and a new one takes over',
  async (t) => {
    const { server, client, daemon } = await deploy(t, { ttl: '4s' });
    const conversation = await Conversation.begin(client, 'web');
    t.true((await knock(client)).granted);
    t.is(await grantsInKernel(server.place), 1);
    await daemon.end('SIGKILL');

    await conversation.say('nobody has hung up');
    await until(async () => (await grantsInKernel(server.place)) === 0, 'the grant to end', 8000);
    t.is(await visit(client, target), 'no answer');
    t.true(await conversation.isAlive());

    await server.serve();
    t.true(await conversation.isAlive());
    t.is(await visit(client, target), 'no answer');
    t.true((await knock(client)).granted);
    t.is(await visit(client, target), welcome);
    t.is(await conversation.end(), 0);
  },
);
