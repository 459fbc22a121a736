import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, type Deployment, deploy, knock, servicePort } from '../support/deployment.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

const wide = {
  ttl: '2s',
  configure: (text: string) => text.replace('\nadmission = "once"', '\nadmission = "address"'),
};

async function grantsOn({ server }: Deployment): Promise<readonly { readonly id: string }[]> {
  return (await ask(server, 'grants')) as readonly { readonly id: string }[];
}

/** How often the server has been asked to renew or close. */
async function leasesOn({ server }: Deployment): Promise<number> {
  return ((await ask(server, 'status')) as { knocks: { leases: number } }).knocks.leases;
}

netTest('connect keeps a grant for the address while it runs, and closes it then', async (t) => {
  const deployment = await deploy(t, wide);
  const { client } = deployment;
  const conversation = await Conversation.begin(client);
  // each renewal is for 2 s, and the first comes after one
  await until(async () => (await leasesOn(deployment)) >= 3, 'three renewals', 15_000);
  t.is(await visit(client, target), welcome, 'a second connection, long after the knock');
  t.is((await grantsOn(deployment)).length, 1);
  t.is(await conversation.end(), 0);
  t.is((await grantsOn(deployment)).length, 0);
  t.is(await visit(client, target), 'no answer');
});

netTest('ssh ends its ProxyCommand by a signal: the grant is closed all the same', async (t) => {
  const deployment = await deploy(t, { ...wide, ttl: '60s' });
  const { client } = deployment;
  const child = client.start(client.argv('connect', 'gate'));
  await Conversation.over(child);
  t.is((await grantsOn(deployment)).length, 1);
  child.kill('SIGHUP');
  await until(async () => (await grantsOn(deployment)).length === 0, 'the grant to be closed');
});

netTest(
  'connect leaves a grant for one connection to itself: it may be a neighbour’s',
  async (t) => {
    const deployment = await deploy(t, { ttl: '60s' });
    const { code } = await deployment.client.hknock(['connect', 'gate', 'web', '--', 'true']);
    t.is(code, 0);
    t.is(await leasesOn(deployment), 0);
    t.is((await grantsOn(deployment)).length, 1);
  },
);

netTest('connect with a command closes what the command has left over', async (t) => {
  const deployment = await deploy(t, { ...wide, ttl: '60s' });
  const { code } = await deployment.client.hknock(['connect', 'gate', 'web', '--', 'true']);
  t.is(code, 0);
  t.is((await grantsOn(deployment)).length, 0);
  t.is(await visit(deployment.client, target), 'no answer');
});

netTest(
  'a service closes the grant by which its client came in, over the control socket',
  async (t) => {
    const deployment = await deploy(t, { ...wide, ttl: '60s' });
    const { server, client } = deployment;
    t.true((await knock(client)).granted);
    t.is(await visit(client, target), welcome);
    const [grant] = await grantsOn(deployment);
    const socket = server.path('server/control.sock');
    const url = `http://localhost/grants/${grant?.id ?? ''}`;
    await server.run(['curl', '-sf', '-X', 'DELETE', '--unix-socket', socket, url]);
    t.is(await visit(client, target), 'no answer');
    t.is((await grantsOn(deployment)).length, 0);
  },
);
