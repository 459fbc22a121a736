import type * as library from '../../src/index.ts';
import { netTest as concurrent } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, type Deployment, deploy, enrol, knock, servicePort } from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import { inline } from '../support/inline.ts';
import { until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { startEcho } from '../support/udp-flow.ts';

const target = { address: addresses.server, port: servicePort };

const { serial: netTest } = concurrent;

const brief = { address: addresses.server, port: 8081 };

/** Services whose clients may keep their grants; those for `brief` are short. */
const deployed = forFile(async (owner) => {
  const deployment = await deploy(owner, {
    ttl: '60s',
    services: 'web,brief,echo',
    configure: (text) =>
      `${text.replace('\nadmission = "once"', '\nadmission = "address"')}
[services.brief]
ports = ["tcp/${String(brief.port)}"]
ttl = "4s"

[services.echo]
ports = ["udp/5300"]
admission = "once"
ttl = "60s"
`,
  });
  await startService(deployment.server, brief.port);
  await startEcho(deployment.server, 5300);
  return deployment;
});

async function grantsOn({ server }: Deployment): Promise<readonly { readonly id: string }[]> {
  return (await ask(server, 'grants')) as readonly { readonly id: string }[];
}

/** How often the server has been asked to renew or close. */
async function leasesOn({ server }: Deployment): Promise<number> {
  return ((await ask(server, 'status')) as { knocks: { leases: number } }).knocks.leases;
}

netTest('connect keeps a grant for the address while it runs, and closes it then', async (t) => {
  const deployment = await deployed();
  const { client } = deployment;
  const conversation = await Conversation.begin(client, 'brief');
  // each renewal is for 4 s, and the first comes after two
  await until(async () => (await leasesOn(deployment)) >= 3, 'three renewals', 30_000);
  t.is(await visit(client, brief), welcome, 'a second connection, long after the knock');
  t.is((await grantsOn(deployment)).length, 1);
  t.is(await conversation.end(), 0);
  t.is((await grantsOn(deployment)).length, 0);
  t.is(await visit(client, brief), 'no answer');
});

netTest('ssh ends its ProxyCommand by a signal: the grant is closed all the same', async (t) => {
  const deployment = await deployed();
  const { client } = deployment;
  const child = client.start(client.argv('connect', 'gate', 'web'));
  await Conversation.over(child);
  t.is((await grantsOn(deployment)).length, 1);
  child.kill('SIGHUP');
  await until(async () => (await grantsOn(deployment)).length === 0, 'the grant to be closed');
});

netTest(
  'connect closes a grant for one connection, unless it may be what a neighbour needs by now',
  async (t) => {
    const deployment = await deployed();
    const { client, neighbour, server } = deployment;
    const once = ['web', '--admission', 'once'];
    const conversation = await Conversation.begin(client, ...once);
    await until(async () => (await grantsOn(deployment)).length === 0, 'it to be closed');
    t.true(await conversation.isAlive(20_000), 'the connection goes on');
    await enrol(server, neighbour, { peer: 'bob', services: 'web' });
    t.true((await knock(neighbour, ...once)).granted);
    t.is((await client.hknock(['connect', 'gate', ...once, '--', 'true'])).code, 0);
    t.is((await grantsOn(deployment)).length, 2, 'nobody knows whose is left');
    t.is(await visit(neighbour, target), welcome);
    for (const peer of ['alice', 'bob']) await server.hknock(['close', '--peer', peer]);
  },
);

/** More than one peer may have wait for one address and port. */
const KNOCKS = 12;

netTest(
  'a UDP client that keeps its port uses up no grants while the system knows its flow: they are closed',
  async (t) => {
    const { server, client } = await deployed();
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const speak = async (end: 'close' | 'leave'): Promise<readonly string[]> => {
      const { stdout } = await client.run(inline(knockAndSpeak, index, end, String(KNOCKS)));
      return JSON.parse(stdout) as string[];
    };
    t.deepEqual(await speak('close'), Array<string>(KNOCKS).fill('answered'));
    t.is((await speak('leave')).at(-1), 'limit-reached', 'control: left to themselves, they count');
    await server.hknock(['close', '--peer', 'alice']);
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
    const grant = await ask(profile, { service: 'echo' as library.ServiceName });
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
  const deployment = await deployed();
  const { code } = await deployment.client.hknock(['connect', 'gate', 'web', '--', 'true']);
  t.is(code, 0);
  t.is((await grantsOn(deployment)).length, 0);
  t.is(await visit(deployment.client, target), 'no answer');
});

netTest(
  'a service closes the grant by which its client came in, over the control socket',
  async (t) => {
    const deployment = await deployed();
    const { server, client } = deployment;
    t.true((await knock(client, 'web')).granted);
    t.is(await visit(client, target), welcome);
    const [grant] = await grantsOn(deployment);
    const socket = server.path('server/control.sock');
    const url = `http://localhost/grants/${grant?.id ?? ''}`;
    await server.run(['curl', '-sf', '-X', 'DELETE', '--unix-socket', socket, url]);
    t.is(await visit(client, target), 'no answer');
    t.is((await grantsOn(deployment)).length, 0);
  },
);
