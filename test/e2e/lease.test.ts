import type * as library from '../../src/index.ts';
import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, type Deployment, deploy, enrol, knock, servicePort } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { startEcho } from '../support/udp-flow.ts';

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
  'connect closes a grant for one connection, unless it may be what a neighbour needs by now',
  async (t) => {
    const deployment = await deploy(t, { ttl: '60s' });
    const { client, neighbour, server } = deployment;
    const conversation = await Conversation.begin(client);
    await until(async () => (await grantsOn(deployment)).length === 0, 'it to be closed');
    t.true(await conversation.isAlive(20_000), 'the connection goes on');
    await enrol(server, neighbour, { peer: 'bob', services: 'web' });
    t.true((await knock(neighbour)).granted);
    t.is((await client.hknockAlone(['connect', 'gate', 'web', '--', 'true'])).code, 0);
    t.is((await grantsOn(deployment)).length, 2, 'nobody knows whose is left');
    t.is(await visit(neighbour, target), welcome);
  },
);

/** More than one peer may have wait for one address and port. */
const KNOCKS = 12;

netTest(
  'a UDP client that keeps its port uses up no grants while the system knows its flow: they are closed',
  async (t) => {
    const { server, client } = await deploy(t, {
      ttl: '60s',
      services: 'echo',
      configure: (text) => `${text}\n[services.echo]\nports = ["udp/5300"]\nttl = "60s"\n`,
    });
    await startEcho(server, 5300);
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const speak = async (end: 'close' | 'leave'): Promise<readonly string[]> => {
      const { stdout } = await client.run(inline(knockAndSpeak, index, end, String(KNOCKS)));
      return JSON.parse(stdout) as string[];
    };
    t.deepEqual(await speak('close'), Array<string>(KNOCKS).fill('answered'));
    t.is((await speak('leave')).at(-1), 'limit-reached', 'control: left to themselves, they count');
  },
);

/** Knocks so many times, each time says something from the same port, and closes the grant or leaves it. */
async function knockAndSpeak(path: string, end: string, times: string): Promise<void> {
  const { knock: ask, holdGrant, ProfileStore } = (await import(path)) as typeof library;
  const { createSocket } = await import('node:dgram');
  const events = await import('node:events');
  const [profile] = await new ProfileStore().list();
  if (profile === undefined) throw new Error('no profile');
  const socket = createSocket('udp4').bind(4000);
  const seen: string[] = [];
  for (let i = 0; i < Number(times); i++) {
    const grant = await ask(profile);
    if (!grant.granted) {
      seen.push(grant.reason);
      continue;
    }
    const answered = events.default.once(socket, 'message');
    socket.send('there?', 5300, grant.server);
    await answered;
    seen.push('answered');
    if (end === 'close') await holdGrant(grant).release();
  }
  socket.close();
  console.log(JSON.stringify(seen));
}

netTest('connect with a command closes what the command has left over', async (t) => {
  const deployment = await deploy(t, { ...wide, ttl: '60s' });
  const { code } = await deployment.client.hknockAlone(['connect', 'gate', 'web', '--', 'true']);
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
