import { createPublicKey } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { readCertificate, readKey } from '../../../fixtures/oracle/sknock.ts';
import { connectDatagramSocket } from '../../../src/dgram-ext/connect.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { sknockDropReasons } from '../../../src/sknock/drop-reason.ts';
import { createSknock } from '../../../src/sknock/initiator.ts';
import { Server } from '../../../src/server/server.ts';
import { startSknock } from '../../../src/server/sknock.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import type { Admission } from '../../../src/units/admission.ts';
import { type Port, parseServicePort, type ServicePort } from '../../../src/units/network.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/netns.ts';
import { address } from '../grants/plans.ts';
import { faultOf } from '../store/scratch.ts';
import { Folder } from './folder.ts';
import { partsFor, type Running } from './running.ts';

const us = address('127.0.0.1');
const ssh = parseServicePort('tcp/22');
/** A time at which the certificates of the fixtures are good. */
const NOW_MS = Date.UTC(2027, 0, 1);

interface SknockServer extends Running {
  readonly folder: Folder;
  readonly port: Port;
  /** Starts another in its place. */
  readonly restart: () => Promise<Server>;
}

/** A server with sKnock on a port of its own, and the services `ssh` and `web` (tcp/80 and tcp/443). */
async function serve(
  t: ExecutionContext,
  options = '',
  admissions: readonly Admission[] = ['address', 'once'],
): Promise<SknockServer> {
  const folder = await Folder.create(t);
  const port = (await freePort()) as Port;
  const fixture = (name: string) => new URL(`../../../fixtures/sknock/${name}`, import.meta.url);
  await copyFile(fixture('ca.pem'), join(folder.path, 'ca.pem'));
  await writeFile(join(folder.path, 'server.key'), await readFile(fixture('server.key')), {
    mode: 0o600,
  });
  await folder.edit(
    /$/,
    `\n[certificates]\nca = "ca.pem"\nkey = "server.key"\n[sknock]\nlisten = ["127.0.0.1:${String(port)}"]\n${options}`,
  );
  const { options: wanted, ...parts } = partsFor(folder);
  parts.firewall.admissions = admissions;
  const clock = new FakeClock(NOW_MS);
  const start = (): Promise<Server> => Server.start({ ...wanted, modes: [startSknock], clock });
  let server = await start();
  t.teardown(() => server.stop());
  const restart = async (): Promise<Server> => {
    await server.stop();
    server = await start();
    return server;
  };
  return { ...parts, clock, server, folder, port, restart };
}

function datagramFor(port: ServicePort, from = us, issuedAtUnixS = NOW_MS / 1000): Uint8Array {
  const identity = {
    certificate: readCertificate('alice'),
    privateKey: readKey('alice'),
    serverKey: createPublicKey(readKey('server')),
  };
  const wish = { port, address: from, issuedAtUnixS };
  return createSknock(identity, wish, createSystemEntropy());
}

/** Sends datagrams one after the other, and waits until the server has made up its mind about each. */
async function send(
  { port }: Pick<SknockServer, 'port'>,
  server: Server,
  ...datagrams: readonly Uint8Array[]
): Promise<void> {
  const remote = { address: us, port };
  const socket = await connectDatagramSocket(remote);
  let heard = 0;
  socket.listen(() => heard++);
  for (const datagram of datagrams) {
    const before = concluded(server);
    socket.send(datagram, remote, remote);
    await until(() => concluded(server) > before, 'the server to judge a datagram');
  }
  await socket.close();
  if (heard > 0) throw new Error('sKnock never answers');
}

/** How many datagrams have come to their end. */
function concluded(server: Server): number {
  const { sknock } = server.status().modes;
  if (sknock === undefined) throw new Error('sKnock is off');
  const ends = ['granted', 'refused', 'failed', ...sknockDropReasons];
  return ends.reduce((sum, each) => sum + (sknock[each] ?? 0), 0);
}

test('a certificate opens the one port that its holder names, and no other of the service', async (t) => {
  const running = await serve(t);
  const { server, firewall } = running;
  await send(running, server, datagramFor(ssh));
  t.like(server.status().modes['sknock'], { received: 1, granted: 1 });
  t.like(server.grants()[0], { service: 'ssh', peer: 'cert-1001', ports: [ssh] });
  t.true(firewall.connect(us, ssh));
  t.false(firewall.connect(us, ssh), 'once');
});

test('a service that wants more than nobody’s answer can tell is refused, and the log says why', async (t) => {
  const running = await serve(t, '', ['once', 'port']);
  const { server, log, folder } = running;
  await send(running, server, datagramFor(ssh));
  t.like(server.status().modes['sknock'], { granted: 1 }, 'control');
  await folder.edit(/^\[services\.ssh\]/m, '[services.ssh]\nadmission = "port"');
  await server.reload();
  await send(running, server, datagramFor(ssh));
  t.like(server.status().modes['sknock'], { refused: 1, granted: 1 });
  t.is(server.grants().length, 0);
  const refusal = log.lines.find(({ event }) => event === 'refused');
  t.like(refusal?.fields, { service: 'ssh', reason: 'admission-refused' });
  t.regex(String(refusal?.fields['why']), /address and once only/);
});

test('what is dropped is counted and logged with its reason, so many times and no more', async (t) => {
  const running = await serve(t);
  const { server, log, clock } = running;
  const elsewhere = address('192.0.2.9');
  const many = Array.from({ length: 8 }, () => datagramFor(ssh, elsewhere));
  await send(running, server, ...many);
  t.like(server.status().modes['sknock'], { address: 8, granted: 0 });
  const lines = () => log.lines.filter(({ event }) => event === 'sknock dropped');
  t.is(lines().length, 5);
  t.like(lines()[0], { level: 'warn', fields: { reason: 'address', source: us } });
  clock.advance(5000);
  await send(running, server, datagramFor(ssh, elsewhere));
  t.like(lines().at(-1)?.fields, { reason: 'address', unsaid: 3 });
  await send(running, server, datagramFor(parseServicePort('udp/60001')));
  t.like(lines().at(-1)?.fields, { reason: 'service', serial: '1001', subject: 'alice' });
});

test('a knock counts once, over a restart too', async (t) => {
  const running = await serve(t);
  const knock = datagramFor(ssh);
  await send(running, running.server, knock, knock);
  t.like(running.server.status().modes['sknock'], { granted: 1, replay: 1 });
  const again = await running.restart();
  await send(running, again, knock);
  t.like(again.status().modes['sknock'], { granted: 0, replay: 1 });
  await send(running, again, datagramFor(ssh));
  t.like(again.status().modes['sknock'], { granted: 1 });
});

test('of two that come at once, and are looked at together, one counts', async (t) => {
  const running = await serve(t);
  const { server, port } = running;
  const remote = { address: us, port };
  const socket = await connectDatagramSocket(remote);
  const knock = datagramFor(ssh);
  for (const each of [knock, knock]) socket.send(each, remote, remote);
  await until(() => concluded(server) === 2, 'both to be judged');
  await socket.close();
  t.like(server.status().modes['sknock'], { granted: 1, replay: 1 });
});

test('a record that is none of ours keeps the server from starting', async (t) => {
  const { folder, server } = await serve(t);
  await server.stop();
  await writeFile(join(folder.path, 'sknock.replays'), 'something else\n', { mode: 0o600 });
  const { options } = partsFor(folder);
  const fault = await faultOf(() => Server.start({ ...options, modes: [startSknock] }));
  t.is(fault.code, 'config');
  t.regex(fault.message, /sknock\.replays:1: /);
});

test('a reload counts at once: services, window and check of the address', async (t) => {
  const running = await serve(t);
  const { server, folder, log } = running;
  const late = (): Uint8Array => datagramFor(ssh, address('192.0.2.9'), NOW_MS / 1000 - 60);
  await send(running, server, late());
  t.like(server.status().modes['sknock'], { timestamp: 1 });
  await folder.edit(/\n\[sknock\]/, '\n[sknock]\nwindow = "1m"\ncheck_address = false');
  await server.reload();
  t.true(log.lines.some(({ level, fields }) => level === 'warn' && 'risk' in fields));
  await send(running, server, late());
  t.like(server.status().modes['sknock'], { granted: 1 });
  await folder.edit(/\nports = \["tcp\/22"\]/, '\nports = ["tcp/23"]');
  await server.reload();
  t.deepEqual(server.grants(), [], 'nobody may have tcp/22 opened any more');
  await send(running, server, datagramFor(ssh));
  t.like(server.status().modes['sknock'], { service: 1 });
});

test('a grant by certificate lives on when the folder says the same', async (t) => {
  const running = await serve(t);
  const { server } = running;
  await send(running, server, datagramFor(ssh));
  await server.reload();
  t.is(server.grants().length, 1);
});

test('without [certificates] there is no sKnock, and the configuration says so', async (t) => {
  const { folder } = await serve(t);
  await folder.edit(/\[certificates\]\nca = "ca.pem"\nkey = "server.key"\n/, '');
  const { options } = partsFor(folder);
  t.regex(
    (await faultOf(() => Server.start({ ...options, modes: [startSknock] }))).message,
    /certificates/,
  );
});
