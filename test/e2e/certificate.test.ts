import { copyFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { netTest, netTestWith } from '../support/capabilities.ts';
import {
  type Deployment,
  edit,
  inhabit,
  type Knocked,
  servicePort,
} from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses, type TopologyOptions } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

/** A server with an authority of its own, and a client that has nothing but the files of a certificate. */
async function deploy(t: ExecutionContext, options: TopologyOptions = {}): Promise<Deployment> {
  const machines = await inhabit(t, options);
  const { server, client } = machines;
  await startService(server, servicePort);
  await server.hknock(['init']);
  await server.hknock(['service', 'add', 'web', `tcp/${String(servicePort)}`, '--ttl', '20s']);
  await server.hknock(['ca', 'init']);
  await server.hknock(['ca', 'issue', 'gate', '--server']);
  edit(
    server,
    (text) => `${text}
[certificates]
ca = "ca/ca.pem"
key = "server.key"
crl = "ca/crl.pem"
crl_refresh = "1s"
`,
  );
  const certificate = server.path('alice.pem');
  await server.hknock(['ca', 'issue', 'alice', '--service', 'web', '--out', certificate]);
  copyFileSync(certificate, client.path('alice.pem'));
  copyFileSync(server.path('alice.key'), client.path('alice.key'));
  copyFileSync(server.path('server/server.pem'), client.path('server.pem'));
  return { ...machines, daemon: await server.serve() };
}

function argsOf(client: Machine, ...more: readonly string[]): readonly string[] {
  const files = ['--cert', 'alice.pem', '--key', 'alice.key', '--server-cert', 'server.pem'];
  const paths = files.map((each) => (each.startsWith('--') ? each : client.path(each)));
  return ['knock', addresses.server, 'web', '--mode', 'certificate', ...paths, ...more];
}

async function knock(client: Machine): Promise<Knocked> {
  const argv = argsOf(client, '--json');
  const { stdout } = await client.hknock(argv, { allowFailure: true });
  return JSON.parse(stdout) as Knocked;
}

for (const cgnat of [false, true]) {
  netTest.serial(`a certificate lets in from behind ${cgnat ? 'two NATs' : 'a NAT'}`, async (t) => {
    const { client, neighbour, daemon } = await deploy(t, { cgnat });
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
    t.regex(daemon.log, / granted .*peer=cert-/);
  });
}

netTestWith('faketime').serial(
  'a client with a certificate and a clock ten years off gets in',
  async (t) => {
    const { client } = await deploy(t);
    const env = { DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    const argv = ['faketime', '-f', '-10y', ...client.argv(...argsOf(client, '--json'))];
    t.like(JSON.parse((await client.run(argv, { env })).stdout), { granted: true });
    t.is(await visit(client, target), welcome);
  },
);

netTest.serial('a certificate that is revoked gets silence, and the log says why', async (t) => {
  const { client, server, daemon } = await deploy(t);
  t.like(await knock(client), { granted: true });
  await server.hknock(['ca', 'revoke', 'alice']);
  await until(() => / crl taken .*revoked=1/.test(daemon.log), 'the list to be read');
  t.is(await visit(client, target), 'no answer', 'the grant is gone too');
  t.like(await knock(client), { granted: false, reason: 'no-answer' });
  t.regex(daemon.log, / certificate refused .*reason=certificate-revoked/);
});
