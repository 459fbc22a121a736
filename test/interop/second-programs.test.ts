import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';
import { netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy, type Deployment, edit, servicePort } from '../support/deployment.ts';
import { Capture } from '../support/capture.ts';
import type { Machine } from '../support/machine.ts';
import { interfaceTo, until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { dissect } from './wireshark/tshark.ts';
import { type Proof, Second, secondArgv } from './second/program.ts';

// In second.test.ts the second implementation speaks with our handshake on one machine. Here it meets the programs that
// people run, with a NAT in between and the kernel's firewall behind: `hknock serve`, `hknock knock`, `hknock connect`.

const test = netTestWith('python3', 'python3-cryptography', 'tcpdump', 'tshark').serial;

const proofs: readonly Proof[] = ['secret', 'certificate'];
const [noKey, opens] = ['0', '1'];
const target = { address: addresses.server, port: servicePort };
const secondPort = 62_300;
/** A port of the server that hknock serve does not protect: the second responder has no firewall. */
const openPort = 8081;

test('the second initiator knocks at hknock serve, keeps its grant and closes it; tshark reads what travelled', async (t) => {
  const deployment = await deployWithBoth(t);
  const { client, server, topology } = deployment;
  const device = interfaceTo(topology.nat);
  const capture = await Capture.start(topology.server, { device, what: 'udp port 62202' });
  const told: Granted[] = [];
  for (const proof of proofs) {
    t.is(await visit(client, target), 'no answer', proof);
    const second = start(client, proof, 'initiate');
    const wish = { service: 'web', admission: 'address', claim: `${addresses.client}:40123` };
    const said = await second.tell(
      JSON.stringify({ ...(await credentialOf(deployment, proof)), ...wish, ...knockAt(62_202) }),
    );
    t.like(said, { observed: { address: addresses.public } }, proof);
    t.like(said, { outcome: { kind: 'granted', admission: 'address', lifetimeMs: 60_000 } }, proof);
    t.is(await visit(client, target), welcome, proof);
    t.deepEqual(await second.tell('renew'), { status: 'done', lifetimeMs: 60_000 }, proof);
    t.is(await visit(client, target), welcome, proof);
    t.deepEqual(await second.tell('close'), { status: 'done', lifetimeMs: 0 }, proof);
    t.is(await visit(client, target), 'no answer', proof);
    t.is(await second.end(), 0, proof);
    told.push(said as Granted);
  }

  const keys = [server.path('alice.toml'), server.path('server/server.pem')];
  const profile = server.path('profile.toml');
  const issue = ['ca', 'issue', 'bob', '--service', 'web', '--host', addresses.server];
  await server.hknock([...issue, '--profile', profile]);
  let read: readonly Message[] = [];
  const isRead = async (): Promise<boolean> => {
    read = await messagesIn(capture, keys);
    return read.length >= travelled.length;
  };
  // should some be missing, the comparison says which
  await until(isRead, 'all messages to be captured').catch(() => undefined);
  t.deepEqual(
    read.map((each) => [each['hknock.message'], each['hknock.seal'], each['hknock.service']]),
    travelled,
  );
  t.deepEqual(await messagesIn(capture, [server.path('alice.toml'), profile]), read);
  t.like(read[3], {
    'hknock.grant': told[0]?.outcome.grant,
    'hknock.observed.ip': addresses.public,
    'hknock.observed.port': String(told[0]?.observed.port),
    'hknock.lifetime': '60000',
  });
});

/** The messages of a knock, a renewal and a closing, first with a secret, then with a certificate: their seals, and services. */
const travelled = [
  ['Request', opens, 'web'],
  ['Challenge', opens, ''],
  ['Response', opens, 'web'],
  ['Grant', opens, ''],
  ['Lease', opens, ''],
  ['Lease Answer', opens, ''],
  ['Lease', opens, ''],
  ['Lease Answer', opens, ''],
  ['Request', opens, ''],
  ['Challenge', opens, ''],
  ['Certificate Response', opens, ''],
  ['Grant', noKey, ''],
  ['Lease', noKey, ''],
  ['Lease Answer', noKey, ''],
  ['Lease', noKey, ''],
  ['Lease Answer', noKey, ''],
];

/** What the second initiator says of a Grant. */
interface Granted {
  readonly outcome: { readonly grant: string };
  readonly observed: { readonly port: number };
}

const fields = [
  'hknock.message',
  'hknock.seal',
  'hknock.service',
  'hknock.grant',
  'hknock.observed.ip',
  'hknock.observed.port',
  'hknock.lifetime',
  'hknock.nonce',
  'udp.dstport',
] as const;
type Message = Record<(typeof fields)[number], string>;

/** What tshark reads in a capture, without what was sent again; a Request that was sent again has another Challenge. */
async function messagesIn(capture: Capture, keys: readonly string[]): Promise<readonly Message[]> {
  const read = await dissect(capture.stream, { fields, keys });
  const nameOf = (each: Message): string =>
    each['hknock.message'] === 'Challenge' ? each['udp.dstport'] : each['hknock.nonce'];
  const seen = new Set<string>();
  return read.filter((each) => seen.size < seen.add(nameOf(each)).size);
}

test('hknock knock and hknock connect are let in by the second responder, which is asked to renew and to close', async (t) => {
  const deployment = await deployWithBoth(t);
  const { client, server } = deployment;
  await startService(server, openPort);
  for (const proof of proofs) {
    const second = start(server, proof, 'respond');
    const services = { web: [`tcp/${String(openPort)}`] };
    const config = { ...(await keysOf(deployment, proof)), services, lifetimeMs: 4000 };
    await second.tell(JSON.stringify({ ...config, ...knockAt(secondPort) }));
    const args = secondAt(deployment, proof);

    const { stdout } = await client.hknock(['knock', ...args, '--json']);
    const observed = { observedAddress: addresses.public, behindNat: true };
    t.like(JSON.parse(stdout), { granted: true, admission: 'once', ...observed }, proof);
    t.like(await second.next(), { service: 'web', claimed: { address: addresses.client } }, proof);

    const connecting = client.argv('connect', ...args, '--admission', 'address');
    const conversation = await Conversation.over(client.start(connecting));
    t.like(await second.next(), { service: 'web', admission: 'address' }, proof);
    for (const round of ['first', 'second']) {
      t.like(await second.next(), { operation: 'renew', isLast: true }, `${proof}, ${round}`);
    }
    const hangingUp = conversation.end();
    let last = (await second.next()) as { operation: string; outcome: object };
    while (last.operation === 'renew') last = (await second.next()) as typeof last;
    t.like(last, { operation: 'close', outcome: { status: 'done' } }, proof);
    t.is(await hangingUp, 0, proof);
    t.is(await second.end(), 0, proof);
  }
});

/** A server that takes secrets and certificates, for a service whose clients may keep their grants. */
async function deployWithBoth(t: ExecutionContext): Promise<Deployment> {
  const deployment = await deploy(t, {
    ttl: '60s',
    configure: (text) => text.replace('\nadmission = "once"', '\nadmission = "address"'),
  });
  const { server, daemon } = deployment;
  await server.hknock(['ca', 'init']);
  await server.hknock(['ca', 'issue', 'gate', '--server']);
  await server.hknock(['ca', 'issue', 'alice', '--service', 'web', '--out', server.path('a.pem')]);
  edit(server, (text) => `${text}\n[certificates]\nca = "ca/ca.pem"\nkey = "server.key"\n`);
  await daemon.end();
  return { ...deployment, daemon: await server.serve() };
}

function start(machine: Machine, proof: Proof, command: 'initiate' | 'respond'): Second {
  const stdio = ['pipe', 'pipe', 'inherit'] as const;
  return new Second(machine.start(secondArgv(proof, command), { stdio: [...stdio] }));
}

function knockAt(port: number): object {
  return { host: addresses.server, port };
}

/** What the second initiator proves itself with. */
async function credentialOf({ server }: Deployment, proof: Proof): Promise<object> {
  if (proof === 'secret') return secretOf(server);
  return {
    certificate: server.path('a.pem'),
    key: server.path('a.key'),
    responder: server.path('server/server.pem'),
  };
}

/** What the second responder knows its peer by. */
async function keysOf({ server }: Deployment, proof: Proof): Promise<object> {
  if (proof === 'secret') return secretOf(server);
  return { authority: server.path('server/ca/ca.pem'), key: server.path('server/server.key') };
}

async function secretOf(server: Machine): Promise<object> {
  const { tag, secret, responderId } = await readProfileFile(server.path('alice.toml'));
  return { tag: toHex(tag), secret: toHex(secret), responderId: toHex(responderId) };
}

/** What `knock` and `connect` take to knock at the second responder. */
function secondAt({ server }: Deployment, proof: Proof): readonly string[] {
  if (proof === 'secret') {
    const path = server.path('second.toml');
    const text = readFileSync(server.path('alice.toml'), 'utf8');
    const port = text.replace('port = 62202', `port = ${String(secondPort)}`);
    writeFileSync(path, port.replace(`tcp/${String(servicePort)}`, `tcp/${String(openPort)}`), {
      mode: 0o600,
    });
    return [addresses.server, 'web', '--profile', path];
  }
  const [certificate, key] = [server.path('a.pem'), server.path('a.key')];
  const files = ['--cert', certificate, '--key', key];
  const responder = ['--server-cert', server.path('server/server.pem')];
  const at = ['--mode', 'certificate', '--port', String(secondPort)];
  return [addresses.server, 'web', ...at, ...files, ...responder];
}
