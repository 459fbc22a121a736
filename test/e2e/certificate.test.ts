import { copyFileSync, rmSync } from 'node:fs';
import type * as library from '../../src/index.ts';
import { badCertificates, issueAll } from '../support/bad-certificates.ts';
import { netTest, netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import {
  ask,
  type Deployment,
  edit,
  furnish,
  inhabit,
  type Knocked,
  servicePort,
} from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import { inline } from '../support/inline.ts';
import type { Daemon, Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { grantsInKernel } from '../support/ruleset.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

const brief = { address: addresses.server, port: 8081 };

/** A server with services, still to be told of certificates; those who get in by `brief` may keep their grants. */
const prepared = forFile(async (owner) => {
  const machines = await inhabit(owner, { cgnat: true });
  const { server } = machines;
  for (const { port } of [target, brief]) await startService(server, port);
  await furnish(server, {
    configure: (text) =>
      `${text.replace('workers = 1', 'workers = 2')}
[services.brief]
ports = ["tcp/${String(brief.port)}"]
admission = "address"
ttl = "4s"
`,
  });
  return machines;
});

/** The same with an authority of its own, and a client that has nothing but the files of a certificate. */
const deployed = forFile(async (): Promise<Deployment> => {
  const machines = await prepared();
  const { server, client } = machines;
  await server.hknock(['ca', 'init']);
  await server.hknock(['ca', 'issue', 'gate', '--server']);
  configure(server, { ca: 'ca/ca.pem', key: 'server.key', crl: 'ca/crl.pem' });
  await issue(server, client, 'alice');
  copyFileSync(server.path('server/server.pem'), client.path('server.pem'));
  return { ...machines, daemon: await server.serve() };
});

function configure(
  server: Machine,
  { ca, key, crl }: { readonly ca: string; readonly key: string; readonly crl: string },
): void {
  edit(
    server,
    (text) => `${text.replace(/\n\[certificates\][^]*/, '')}
[certificates]
ca = "${ca}"
key = "${key}"
crl = "${crl}"
crl_refresh = "1s"
`,
  );
}

/** Issues a certificate to the client. */
async function issue(
  server: Machine,
  client: Machine,
  name: string,
  service = 'web',
): Promise<void> {
  const certificate = server.path(`${name}.pem`);
  await server.hknock(['ca', 'issue', name, '--service', service, '--out', certificate]);
  copyFileSync(certificate, client.path(`${name}.pem`));
  copyFileSync(server.path(`${name}.key`), client.path(`${name}.key`));
}

/** What `knock` and `connect` take to use a certificate. */
function argsOf(client: Machine, name = 'alice'): readonly string[] {
  return argsWith(client.path(`${name}.pem`), client.path('server.pem'));
}

/** The same by the path of a certificate, which has its key beside it, and that of the server's. */
function argsWith(certificate: string, ofServer: string): readonly string[] {
  const key = certificate.replace(/pem$/, 'key');
  const files = ['--cert', certificate, '--key', key, '--server-cert', ofServer];
  return [addresses.server, 'web', '--mode', 'certificate', ...files];
}

async function knock(client: Machine, name = 'alice'): Promise<Knocked> {
  const argv = ['knock', ...argsOf(client, name), '--json'];
  const { stdout } = await client.hknock(argv, { allowFailure: true });
  return JSON.parse(stdout) as Knocked;
}

netTest.serial('a certificate lets in from behind two NATs, and no neighbour', async (t) => {
  const { client, neighbour, daemon } = await deployed();
  t.not(await visit(client, target), welcome);
  t.like(await knock(client), {
    granted: true,
    observedAddress: addresses.public,
    claimedAddress: addresses.client,
    behindNat: true,
    mode: 'certificate',
  });
  t.is(await visit(client, target), welcome);
  t.is(await visit(neighbour, target), 'no answer');
  await daemon.writes(/ granted .*peer=cert-/);
});

netTest.serial(
  'an imported certificate connects by the name of the server alone; the grant is kept meanwhile, and closed then',
  async (t) => {
    const { client, server } = await deployed();
    await issue(server, client, 'carol', 'brief');
    copyFileSync(client.path('server.pem'), client.path('its.pem'));
    const own = [client.path('carol.pem'), '--key', client.path('carol.key')];
    const its = ['--server-cert', client.path('its.pem'), '--host', addresses.server];
    const kept = ['--service', 'brief', '--name', 'gate'];
    await client.hknock(['import', 'certificate', ...own, ...its, ...kept]);
    for (const each of ['carol.pem', 'carol.key', 'its.pem']) rmSync(client.path(each));
    const conversation = await Conversation.begin(client);
    const leases = async (): Promise<number> =>
      ((await ask(server, 'status')) as { knocks: { leases: number } }).knocks.leases;
    // each renewal is for 4 s, and the first comes after two
    await until(async () => (await leases()) >= 3, 'three renewals', 30_000);
    t.is(await visit(client, brief), welcome, 'a second connection, long after the knock');
    t.is(await conversation.end(), 0);
    const grants = (await ask(server, 'grants')) as readonly { readonly service: string }[];
    t.false(grants.some(({ service }) => service === 'brief'));
    t.is(await visit(client, brief), 'no answer');
  },
);

netTestWith('faketime').serial(
  'a client with a certificate and a clock ten years off gets in',
  async (t) => {
    const { client } = await deployed();
    const env = { DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    const argv = ['faketime', '-f', '-10y', ...client.argv('knock', ...argsOf(client), '--json')];
    t.like(JSON.parse((await client.run(argv, { env })).stdout), { granted: true });
    t.is(await visit(client, target), welcome);
  },
);

netTest.serial(
  'a certificate revoked in a list that is fetched over HTTP loses its grant at once, and its connection when policy says so',
  async (t) => {
    const { client, server, daemon } = await deployed();
    await publish(server, server.path('server/ca/crl.pem'));
    for (const cuts of [false, true]) {
      const name = cuts ? 'bob' : 'alice';
      edit(server, (text) =>
        text
          .replace(/^crl = .*$/m, `crl = "http://127.0.0.1:${String(crlPort)}/crl.pem?${name}"`)
          .replace(/^cut_on_revoke = .*$/m, `cut_on_revoke = ${String(cuts)}`),
      );
      if (cuts) await issue(server, client, name);
      const before = reloads(daemon);
      daemon.child.kill('SIGHUP');
      await until(() => reloads(daemon) > before, 'the reload');
      const connect = client.argv('connect', ...argsOf(client, name));
      const conversation = await Conversation.over(client.start(connect));
      t.like(await knock(client, name), { granted: true, behindNat: true });
      t.not(await grantsInKernel(server.place), 0);
      await server.hknock(['ca', 'revoke', name]);
      await until(async () => (await grantsInKernel(server.place)) === 0, 'the grant to end');
      if (cuts) await daemon.writes(/ cut .*peer=/);
      t.is(await visit(client, target), 'no answer');
      t.is(await conversation.isAlive(cuts ? 1000 : undefined), !cuts);
    }
    t.like(await knock(client, 'bob'), { granted: false, reason: 'no-answer' });
    await daemon.writes(/ certificate refused .*reason=certificate-revoked/);
    t.like(((await ask(server, 'status')) as { certificates: unknown }).certificates, {
      ca: { name: 'hknock-ca' },
      crl: { list: { revoked: 2, isStale: false }, lastFault: null },
    });
  },
);

netTest.serial(
  'whatever is wrong with a certificate: silence, and one line that says what',
  async (t) => {
    const { server, client, daemon: before } = await deployed();
    await before.end();
    const { ca, pem } = issueAll(t, servicePort);
    const [key, crl] = [ca.path('server.key'), ca.path('crl.pem')];
    configure(server, { ca: ca.path('ca.pem'), key, crl });
    const daemon = await server.serve();
    await until(() => daemon.log.includes('crl taken'), 'the list to be read', 30_000);
    const knockWith = (name: string) => {
      const argv = ['knock', ...argsWith(pem(name), ca.path('server.pem')), '--json'];
      return client.hknock(argv, { allowFailure: true });
    };
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const { rsa, ...others } = badCertificates;
    const isSaid = (reason: string): boolean =>
      new RegExp(` warn certificate refused .*reason=${reason}\\b`).test(daemon.log);
    // side by side: each waits long for its answer; again where a busy machine has examined none of its Responses in time
    await until(async () => {
      const unsaid = Object.entries(others).filter(([, reason]) => !isSaid(reason));
      const knocking = inline(
        knockWithAll,
        index,
        ca.path('server.pem'),
        ...unsaid.map(([name]) => pem(name)),
      );
      const { stdout } = await client.run(knocking);
      t.deepEqual(
        JSON.parse(stdout),
        unsaid.map(() => 'no-answer'),
      );
      return unsaid.length === 0;
    }, 'a line for each');
    t.is((await knockWith('rsa')).code, 65, `${rsa}: it does not even leave the client`);
    t.like(JSON.parse((await knockWith('good')).stdout), { granted: true });
    t.is(await visit(client, target), welcome);
  },
);

function reloads({ log }: Daemon): number {
  return log.split(' info reloaded ').length;
}

/** Knocks with certificates, all at once, and says what comes of each. */
async function knockWithAll(
  path: string,
  serverCertificate: string,
  ...certificates: readonly string[]
): Promise<void> {
  const { knock: ask, readCertificateAccess } = (await import(path)) as typeof library;
  const knockWith = async (certificate: string): Promise<string> => {
    const privateKey = certificate.replace(/pem$/, 'key');
    const files = { certificate, privateKey, serverCertificate };
    const access = await readCertificateAccess({ ...files, hosts: ['198.51.100.2'] });
    return ask(access, { service: 'web' as library.ServiceName }).then(
      ({ granted }) => (granted ? 'granted' : 'refused'),
      (fault: unknown) => (fault as library.HknockError).code,
    );
  };
  console.log(JSON.stringify(await Promise.all(certificates.map(knockWith))));
}

const crlPort = 8089;

/** Serves a file over HTTP, as it is at each request. */
async function publish(machine: Machine, path: string): Promise<void> {
  const child = machine.start(inline(serveFile, path, String(crlPort)), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of child.stdout ?? []) if (String(line).includes('ready')) return;
  throw new Error('the list is not published');
}

async function serveFile(path: string, port: string): Promise<void> {
  const { readFileSync } = await import('node:fs');
  const { createServer } = await import('node:http');
  createServer((_, response) => response.end(readFileSync(path))).listen(
    Number(port),
    '127.0.0.1',
    () => {
      console.log('ready');
    },
  );
}
