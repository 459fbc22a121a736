// The programs of Debian's fwknop 2.6.10 and ours, both ways, behind NAT (support/topology.ts): the stock client opens a door of
// `hknock serve`, which the kernel keeps; our client that of fwknopd.
import { readFileSync, writeFileSync } from 'node:fs';
import { hmacTypes } from '../../src/units/hmac-type.ts';
import { netTestWith } from '../support/capabilities.ts';
import { writeProfileFile } from '../../src/store/profile-file.ts';
import { DEFAULT_PORT, type Profile } from '../../src/store/profile.ts';
import { parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { type Port, parseServicePort } from '../../src/units/network.ts';
import { Fwknop } from '../interop/peers/fwknop.ts';
import { type Deployment, ask, deploy, edit, inhabit, servicePort } from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import type { Daemon, Machine } from '../support/machine.ts';
import { interfaceTo, until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const fwknopTest = netTestWith('fwknop').serial;

const encryption = Buffer.from('an encryption key of 32 bytes...').toString('base64');
const hmac = Buffer.from('x'.repeat(64)).toString('base64');
const inBase64 = ['--key-base64-rijndael', encryption, '--key-base64-hmac', hmac];
const base64Keys = `fwknop_key = "base64:${encryption}"\nfwknop_hmac_key = "base64:${hmac}"\n`;
const web = `tcp/${String(servicePort)}`;
const accessConf = `SOURCE ANY
OPEN_PORTS ${web}
KEY s3cret Pass
HMAC_KEY hmac Pass
FW_ACCESS_TIMEOUT 6
ENABLE_CMD_EXEC Y
REQUIRE_USERNAME carol
`;

interface Mode {
  readonly granted: number;
  readonly refused: number;
  readonly [counter: string]: number;
}

const fwknopOn = forFile((owner) =>
  deploy(owner, { configure: (text) => text.replace('enabled = false', 'enabled = true') }),
);

/** A server that has fwknop on and knows the client by keys in base64. */
async function deployed(): Promise<Deployment> {
  const deployment = await fwknopOn();
  await giveKeys(deployment, base64Keys);
  return deployment;
}

/** Puts keys into the peer's file in place of those that it has, and has the server read it. */
async function giveKeys({ server, daemon }: Deployment, keys: string): Promise<void> {
  const path = server.path('server/peers/alice.toml');
  const lines = readFileSync(path, 'utf8').replaceAll(/^fwknop_.*\n/gm, '');
  writeFileSync(path, lines + keys);
  await reload(daemon);
}

/** Has the server take over what fwknopd would go by. */
async function importAccessConf({ server, daemon }: Deployment) {
  const path = server.path('access.conf');
  writeFileSync(path, accessConf, { mode: 0o600 });
  const finished = await server.hknock(['import', 'fwknop', path]);
  await reload(daemon);
  return finished;
}

async function reload(daemon: Daemon): Promise<void> {
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

/** Waits until a counter of the mode has gone up by so much from now on. */
async function countFrom(
  server: Machine,
): Promise<(counter: string, atLeast?: number) => Promise<void>> {
  const before = await counters(server);
  return (counter, atLeast = 1) =>
    until(
      async () => ((await counters(server))[counter] ?? 0) - (before[counter] ?? 0) >= atLeast,
      `${counter} to go up by ${String(atLeast)}`,
    );
}

/** Has the server let in whoever sent the packet, for packets that name nobody. */
async function acceptAnySource({ server, daemon }: Deployment): Promise<void> {
  if (daemon.log.includes('any source')) return;
  edit(server, (text) => text.replace('accept_any_source = false', 'accept_any_source = true'));
  daemon.child.kill('SIGHUP');
  await until(() => daemon.log.includes('any source'), 'the warning');
}

const at = { address: addresses.server, port: servicePort };
const toServer = ['-D', addresses.server];
const fromPublic = ['-a', addresses.public];

fwknopTest('the stock client opens the door for the address that it says, once', async (t) => {
  const { server, client, neighbour, daemon } = await deployed();
  const counts = await countFrom(server);
  t.is(await visit(client, at), 'no answer');
  await spa(client, ...toServer, ...fromPublic, ...inBase64);
  await counts('granted');
  t.is(await visit(client, at), welcome);
  t.is(await visit(neighbour, at), 'no answer', 'the door is shut behind the first');

  await spa(client, ...toServer, '-a', '203.0.113.9', ...inBase64);
  await counts('granted', 2);
  t.is(await visit(client, at), 'no answer', 'the door is open, but for somebody else');

  await spa(client, ...toServer, ...fromPublic, '--fw-timeout', '1', ...inBase64);
  await counts('granted', 3);
  await daemon.writes(/ granted .* lifetime=1s/);
  await server.hknock(['close', '--peer', 'alice']);
});

fwknopTest(
  'every HMAC and digest of the stock client is understood, and passphrases of an imported access.conf',
  async (t) => {
    const deployment = await deployed();
    const { server, client } = deployment;
    const counts = await countFrom(server);
    let opened = 0;
    for (const type of hmacTypes) {
      await giveKeys(deployment, `${base64Keys}fwknop_hmac = "${type}"\n`);
      const stock = type.replace('-', '_');
      const digests = ['--hmac-digest-type', stock, '--digest-type', stock];
      await spa(client, ...toServer, ...fromPublic, ...digests, ...inBase64);
      await counts('granted', ++opened);
      t.is(await visit(client, at), welcome, type);
    }
    const { stdout, stderr } = await importAccessConf(deployment);
    t.is(stdout, 'carol\n');
    t.regex(stderr, /access\.conf:6: packets run no commands/);
    const secrets = ['--key-rijndael', 's3cret Pass', '--key-hmac', 'hmac Pass'];
    await spa(client, ...toServer, ...fromPublic, ...secrets);
    await counts('granted', opened + 1);
    t.is(await visit(client, at), welcome, 'passphrases');
    await deployment.daemon.writes(/ granted .*peer=carol .* lifetime=6s/);
  },
);

fwknopTest(
  'local NAT leads once; commands, other forwarding and open sources are refused',
  async (t) => {
    const deployment = await deployed();
    const { server, client, neighbour, daemon } = deployment;
    const counts = await countFrom(server);
    const { granted } = await counters(server);
    const local = (port: number): readonly string[] => ['--nat-local', '--nat-port', String(port)];
    await spa(client, ...toServer, ...fromPublic, ...local(40_000), ...inBase64);
    await counts('dropped nat-access');
    await spa(client, ...toServer, ...fromPublic, '-N', '192.168.1.2:22', ...inBase64);
    await counts('dropped nat-access', 2);
    const command = ['fwknop', '--no-rc-file', '--use-hmac', '--server-cmd', 'id'];
    await client.run([...command, ...toServer, ...fromPublic, ...inBase64]);
    await counts('dropped command');
    await spa(client, ...toServer, '-s', ...inBase64);
    await counts('dropped source');
    t.is((await counters(server)).granted, granted);
    t.is(await visit(client, at), 'no answer');

    const entrance = { address: addresses.server, port: 20_000 };
    for (const [times, timeout] of [
      [1, ['--fw-timeout', '15']],
      [2, []],
    ] as const) {
      await spa(client, ...toServer, ...fromPublic, ...local(20_000), ...timeout, ...inBase64);
      await counts('granted', times);
      t.is(await visit(client, at), 'no answer', 'the port of the service itself');
      t.is(await visit(client, entrance), welcome);
      t.not(await visit(neighbour, entrance), welcome, 'it has led there once');
    }
    await daemon.writes(/ granted .* admission=port lifetime=15s/);

    t.notRegex(daemon.log, /any source/);
    await acceptAnySource(deployment);
    await spa(client, ...toServer, '-s', ...inBase64);
    await counts('granted', 3);
    t.is(await visit(client, at), welcome);
  },
);

netTestWith('fwknopd', 'iptables').serial(
  'our client opens a stock fwknopd, and says that nobody answers',
  async (t) => {
    const { topology, server, client } = await inhabit(t);
    await startService(server, servicePort);
    await server.run(['iptables', '-P', 'INPUT', 'DROP']);
    await server.run([
      'iptables',
      '-A',
      'INPUT',
      '-m',
      'conntrack',
      '--ctstate',
      'ESTABLISHED',
      '-j',
      'ACCEPT',
    ]);
    const fwknopd = await Fwknop.start(server, [servicePort], interfaceTo(topology.nat));
    const { encryption: key, hmac: hmacKey } = fwknopd.keys.alice;
    const keys = ['--key-base64-rijndael', key, '--key-base64-hmac', hmacKey];
    const stanza = ['-n', 'gate', '--save-rc-stanza', '--test', '--use-hmac', ...keys];
    await client.run(['fwknop', ...stanza, '-A', web, ...toServer, ...fromPublic]);
    const imported = await client.hknock(['import', 'fwknop', client.path('.fwknoprc')]);
    t.is(imported.stdout, 'gate\n');
    t.is(await visit(client, at), 'no answer');
    const wrong = ['--source', '203.0.113.9', '--timeout', '500ms', '--retries', '0'];
    const connect = ['connect', 'gate', '--mode', 'fwknop'];
    const kept = await client.hknock([...connect, ...wrong], { allowFailure: true });
    t.is(kept.code, 69, 'it opens for somebody else');
    await fwknopd.decides('opened');

    const { stdout, stderr } = await client.hknock(['knock', 'gate', '--mode', 'fwknop', '--json']);
    t.like(JSON.parse(stdout), { sent: true, source: addresses.public, ports: [web] });
    t.regex(stderr, /nobody answers/);
    await fwknopd.decides('opened');
    t.is(await visit(client, at), welcome);
    const joined = await client.hknock(connect, { input: 'word\n' });
    t.is(joined.stdout, `${welcome}\nword\n`);
    const verified = await client.hknock([
      'knock',
      'gate',
      '--mode',
      'fwknop',
      '--verify',
      '--json',
    ]);
    t.like(JSON.parse(verified.stdout), { granted: true, ports: [web] });
    const plain = await client.hknock(['knock', 'gate'], { allowFailure: true });
    t.is(plain.code, 64);
    t.regex(plain.stderr, /--mode fwknop/);
  },
);

/** A client's profile with keys of fwknop; what only hknock's own knock uses stands for nothing. */
async function makeProfile(
  client: Machine,
  keys: Fwknop['keys']['alice'],
  host: string = addresses.server,
): Promise<void> {
  const profile: Profile = {
    name: 'gate',
    hosts: [host],
    port: DEFAULT_PORT,
    responderId: new Uint8Array(16),
    peer: parsePeerName('alice'),
    tag: new Uint8Array(8),
    secret: new Uint8Array(32),
    services: new Map([[parseServiceName('web'), [parseServicePort(web)]]]),
    expect: [],
    fwknop: {
      port: 62_201 as Port,
      hmacType: 'sha256',
      key: Buffer.from(keys.encryption, 'base64'),
      hmacKey: Buffer.from(keys.hmac, 'base64'),
    },
  };
  await writeProfileFile(client.path('gate.toml'), profile);
}

fwknopTest('our client opens our door from IPv6, as the source of its packet', async (t) => {
  const deployment = await deployed();
  const { server, client } = deployment;
  const counts = await countFrom(server);
  await acceptAnySource(deployment);
  await makeProfile(client, { encryption, hmac }, addresses.server6);
  const knock = ['knock', 'gate', '--profile', client.path('gate.toml'), '--mode', 'fwknop'];
  await client.hknock([...knock, '--source', 'any']);
  await counts('granted');
  t.is(await visit(client, { address: addresses.server6, port: servicePort }), welcome);
});
