// The programs of Debian's fwknop 2.6.10 and ours, both ways, behind NAT (support/topology.ts): the stock client opens a door of
// `hknock serve`, which the kernel keeps.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { hmacTypes } from '../../src/units/hmac-type.ts';
import { netTestWith } from '../support/capabilities.ts';
import { type Deployment, ask, deploy, edit, servicePort } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const fwknopTest = netTestWith('fwknop').serial;

const encryption = Buffer.from('an encryption key of 32 bytes...').toString('base64');
const hmac = Buffer.from('x'.repeat(64)).toString('base64');
const inBase64 = ['--key-base64-rijndael', encryption, '--key-base64-hmac', hmac];
const base64Keys = `fwknop_key = "base64:${encryption}"\nfwknop_hmac_key = "base64:${hmac}"\n`;
const passphrases =
  'fwknop_key = "passphrase:s3cret Pass"\nfwknop_hmac_key = "passphrase:hmac Pass"\n';
const web = `tcp/${String(servicePort)}`;

interface Mode {
  readonly granted: number;
  readonly refused: number;
  readonly [counter: string]: number;
}

/** A server that has fwknop on and knows the client by keys in base64. */
async function deployFwknop(t: ExecutionContext): Promise<Deployment> {
  const deployment = await deploy(t, {
    ttl: '2s',
    configure: (text) => text.replace('enabled = false', 'enabled = true'),
  });
  await giveKeys(deployment, base64Keys);
  return deployment;
}

/** Puts keys into the peer's file in place of those that it has, and has the server read it. */
async function giveKeys({ server, daemon }: Deployment, keys: string): Promise<void> {
  const path = server.path('server/peers/alice.toml');
  const lines = readFileSync(path, 'utf8').replaceAll(/^fwknop_.*\n/gm, '');
  writeFileSync(path, lines + keys);
  const before = daemon.log.split(' info reloaded').length;
  daemon.child.kill('SIGHUP');
  await until(() => daemon.log.split(' info reloaded').length > before, 'the reload');
}

/** Runs the stock client; it ends well whatever the server does. */
function spa(client: Machine, ...args: readonly string[]) {
  return client.run(['fwknop', '--no-rc-file', '--use-hmac', '-A', web, ...args]);
}

async function counters(server: Machine): Promise<Mode> {
  const { modes } = (await ask(server, 'status')) as { modes: { fwknop: Mode } };
  return modes.fwknop;
}

async function counts(server: Machine, counter: string, atLeast = 1): Promise<void> {
  await until(
    async () => ((await counters(server))[counter] ?? 0) >= atLeast,
    `${counter} to be ${String(atLeast)}`,
  );
}

const at = { address: addresses.server, port: servicePort };
const toServer = ['-D', addresses.server];
const fromPublic = ['-a', addresses.public];

fwknopTest('the stock client opens the door for the address that it says, once', async (t) => {
  const { server, client, neighbour, daemon } = await deployFwknop(t);
  t.is(await visit(client, at), 'no answer');
  await spa(client, ...toServer, ...fromPublic, ...inBase64);
  await counts(server, 'granted');
  t.is(await visit(client, at), welcome);
  t.is(await visit(neighbour, at), 'no answer', 'the door is shut behind the first');

  await spa(client, ...toServer, '-a', '203.0.113.9', ...inBase64);
  await counts(server, 'granted', 2);
  t.is(await visit(client, at), 'no answer', 'the door is open, but for somebody else');

  await spa(client, ...toServer, ...fromPublic, '--fw-timeout', '1', ...inBase64);
  await counts(server, 'granted', 3);
  t.regex(daemon.log, / granted .* lifetime=1s/);
});

fwknopTest(
  'every HMAC and digest of the stock client is understood, and passphrases',
  async (t) => {
    const deployment = await deployFwknop(t);
    const { server, client } = deployment;
    let opened = 0;
    for (const type of hmacTypes) {
      await giveKeys(deployment, `${base64Keys}fwknop_hmac = "${type}"\n`);
      const stock = type.replace('-', '_');
      const digests = ['--hmac-digest-type', stock, '--digest-type', stock];
      await spa(client, ...toServer, ...fromPublic, ...digests, ...inBase64);
      await counts(server, 'granted', ++opened);
      t.is(await visit(client, at), welcome, type);
    }
    await giveKeys(deployment, passphrases);
    const secrets = ['--key-rijndael', 's3cret Pass', '--key-hmac', 'hmac Pass'];
    await spa(client, ...toServer, ...fromPublic, ...secrets);
    await counts(server, 'granted', opened + 1);
    t.is(await visit(client, at), welcome, 'passphrases');
  },
);

fwknopTest('commands, forwarding and open sources are refused by name', async (t) => {
  const { server, client, daemon } = await deployFwknop(t);
  await spa(client, ...toServer, ...fromPublic, '--nat-local', '--nat-port', '40000', ...inBase64);
  await counts(server, 'dropped nat-access');
  const command = ['fwknop', '--no-rc-file', '--use-hmac', '--server-cmd', 'id'];
  await client.run([...command, ...toServer, ...fromPublic, ...inBase64]);
  await counts(server, 'dropped command');
  await spa(client, ...toServer, '-s', ...inBase64);
  await counts(server, 'dropped source');
  t.is((await counters(server)).granted, 0);
  t.is(await visit(client, at), 'no answer');

  t.notRegex(daemon.log, /any source/);
  edit(server, (text) => text.replace('accept_any_source = false', 'accept_any_source = true'));
  daemon.child.kill('SIGHUP');
  await until(() => daemon.log.includes('any source'), 'the warning');
  await spa(client, ...toServer, '-s', ...inBase64);
  await counts(server, 'granted');
  t.is(await visit(client, at), welcome);
});
