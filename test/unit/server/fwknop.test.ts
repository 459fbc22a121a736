import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { SALT_LENGTH } from '../../../src/fwknop/cipher.ts';
import { createPacket } from '../../../src/fwknop/initiator.ts';
import { encodeMessage } from '../../../src/fwknop/message.ts';
import { sealPacket } from '../../../src/fwknop/packet.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { startFwknop } from '../../../src/server/fwknop.ts';
import { Server } from '../../../src/server/server.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/netns.ts';
import { address } from '../grants/plans.ts';
import { faultOf, scratch } from '../store/scratch.ts';
import { Folder } from './folder.ts';
import { partsFor } from './running.ts';

const keys = {
  key: Buffer.from('key'),
  hmacKey: Buffer.from('hmac key'),
  hmacType: 'sha256',
} as const;
const lines = 'fwknop_key = "passphrase:key"\nfwknop_hmac_key = "passphrase:hmac key"\n';
const home = address('192.0.2.7');
const entropy = new FakeEntropy(9);

/** A folder with fwknop on, and a peer `alice` who has keys for it. */
async function fwknopFolder(t: ExecutionContext): Promise<{ folder: Folder; port: number }> {
  const folder = await Folder.create(t);
  const port = await freePort();
  await folder.addPeer('alice', { services: ['ssh'] });
  await appendFile(peerFile(folder, 'alice'), lines);
  await folder.edit(
    /listen = \["0.0.0.0:62201", "\[::\]:62201"\]/,
    `listen = ["127.0.0.1:${String(port)}"]`,
  );
  await folder.edit(/enabled = false/, 'enabled = true');
  return { folder, port };
}

async function runFwknop(t: ExecutionContext, folder: Folder) {
  const { options, ...parts } = partsFor(folder);
  const server = await Server.start({ ...options, modes: [startFwknop] });
  t.teardown(() => server.stop());
  return { server, ...parts };
}

function peerFile(folder: Folder, name: string): string {
  return join(folder.path, 'peers', `${name}.toml`);
}

/** What the stock client sends with `-N`. */
function natPacketAt(unixMs: number, wanted: string, natAccess: string): Buffer {
  const message = encodeMessage({
    random: '1234567890123456',
    user: 'alice',
    timestamp: Math.floor(unixMs / 1000),
    type: 'nat-access',
    text: `${home},${wanted}`,
    natAccess,
    timeoutSeconds: null,
  });
  return Buffer.from(sealPacket(keys, entropy.bytes(SALT_LENGTH), message));
}

/** What the stock client sends with `--server-cmd`. */
function commandPacketAt(unixMs: number, name: string): Buffer {
  const message = encodeMessage({
    random: '1234567890123456',
    user: 'alice',
    timestamp: Math.floor(unixMs / 1000),
    type: 'command',
    text: `${home},${name}`,
    natAccess: null,
    timeoutSeconds: null,
  });
  return Buffer.from(sealPacket(keys, entropy.bytes(SALT_LENGTH), message));
}

function packetAt(unixMs: number, wanted = 'tcp/22', from = home): Buffer {
  const wish = {
    user: 'alice',
    source: from,
    ports: wanted.split(',').map(parseServicePort),
    timeoutMs: null,
  };
  return Buffer.from(createPacket(keys, wish, { entropy, unixMs: unixMs as UnixMs }));
}

async function send(port: number, ...packets: readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const packet of packets) {
    socket.send(packet, port, '127.0.0.1');
  }
  const closed = once(socket, 'close');
  setImmediate(() => socket.close());
  await closed;
}

function counted(server: Server): Readonly<Record<string, number>> {
  return server.status().modes['fwknop'] ?? {};
}

async function counts(server: Server, what: string, times = 1): Promise<void> {
  await until(() => counted(server)[what] === times, `${what} to be ${String(times)}`);
}

test('it is off unless the configuration asks for it', async (t) => {
  const { server, log } = await runFwknop(t, await Folder.create(t));
  t.deepEqual(server.status().modes, {});
  t.false(log.lines.some(({ event }) => event === 'fwknop'));
});

test('a packet opens the ports that it names, and nothing else of their services', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  await folder.edit(/admission = "once"/, 'admission = "address"');
  const { server, firewall, clock, log } = await runFwknop(t, folder);
  await send(port, packetAt(clock.unixMs()));
  await counts(server, 'granted');
  t.true(firewall.connect(home, parseServicePort('tcp/22')));
  await send(port, packetAt(clock.unixMs(), 'tcp/443'));
  await counts(server, 'refused');
  t.false(firewall.connect(home, parseServicePort('tcp/443')), 'not among her services');
  const line = log.lines.find(({ event }) => event === 'fwknop');
  t.regex(String(line?.fields['lacks']), /clock.*address.*nobody tells/);
});

test('NAT leads to where the forwarder takes the service, and nowhere else', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  await folder.edit(/backend = "nftables"/, 'backend = "userspace"');
  await folder.edit(
    /^ports = \["tcp\/22"\]/m,
    'ports = ["tcp/22"]\nupstream = ["192.168.1.2:2022"]',
  );
  await folder.edit(
    /^ports = \["tcp\/80", "tcp\/443"\]/m,
    'ports = ["tcp/80", "tcp/443"]\nupstream = ["127.0.0.1:80", "127.0.0.1:443"]',
  );
  const { server, firewall, clock } = await runFwknop(t, folder);
  await send(
    port,
    natPacketAt(clock.unixMs(), 'tcp/22', '192.168.1.2,22'),
    natPacketAt(clock.unixMs(), 'tcp/80', '192.168.1.2,2022'),
  );
  await counts(server, 'dropped nat-access', 2);
  await send(port, natPacketAt(clock.unixMs(), 'tcp/22', '192.168.1.2,2022'));
  await counts(server, 'granted');
  t.true(firewall.connect(home, parseServicePort('tcp/22')));
});

test('a packet has a command run that is configured and that its peer may run, and no other', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  const place = await scratch(t);
  await folder.edit(/backend = "nftables"/, 'backend = "command"');
  await folder.edit(/^open = \[\]/m, 'open = ["true"]');
  await folder.edit(/^close = \[\]/m, 'close = ["true"]');
  await folder.edit(/admission = "once"/, 'admission = "address"');
  const touch = `["touch", "${place}/{command} {peer} {address}"]`;
  await folder.edit(
    /^\[fwknop\.commands\]$/m,
    `[fwknop.commands]\nnote = ${touch}\nother = ${touch}\nfails = ["false"]`,
  );
  await appendFile(peerFile(folder, 'alice'), 'fwknop_commands = ["note", "fails", "gone"]\n');
  const { server, clock, log } = await runFwknop(t, folder);
  const commands = ['other', 'gone', 'note x', 'touch', 'fails', 'note'];
  await send(port, ...commands.map((name) => commandPacketAt(clock.unixMs(), name)));
  await counts(server, 'ran');
  await counts(server, 'refused');
  await counts(server, 'dropped command', 4);
  t.deepEqual(await readdir(place), [`note alice ${home}`]);
  t.true(log.lines.some(({ event, fields }) => event === 'ran' && fields['command'] === 'note'));
  t.is(server.grants().length, 0);
});

test('commands without the backend that runs them are a fault of the configuration', async (t) => {
  const { folder } = await fwknopFolder(t);
  await folder.edit(/^\[fwknop\.commands\]$/m, '[fwknop.commands]\nnote = ["true"]');
  const { options } = partsFor(folder);
  t.is((await faultOf(() => Server.start({ ...options, modes: [startFwknop] }))).code, 'config');
});

test('a packet opens once, across restarts too', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  const first = await runFwknop(t, folder);
  const packet = packetAt(first.clock.unixMs());
  await send(port, packet);
  await counts(first.server, 'granted');
  await send(port, packet);
  await counts(first.server, 'dropped replay');
  await first.server.stop();
  t.is((await readFile(join(folder.path, 'fwknop.replay'), 'utf8')).split('\n').length, 3);

  const { server } = await runFwknop(t, folder);
  await send(port, packet);
  await counts(server, 'dropped replay');
  t.is(server.grants().length, 0);
});

test('what is dropped is not put on record', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  const { server, clock } = await runFwknop(t, folder);
  await send(port, packetAt(clock.unixMs(), 'tcp/23'));
  await counts(server, 'dropped service');
  t.is(await readFile(join(folder.path, 'fwknop.replay'), 'utf8'), '0\n');
});

test('a revoked peer gets nothing more, also when the folder is wrong otherwise', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  const { server, clock } = await runFwknop(t, folder);
  await rm(peerFile(folder, 'alice'));
  await folder.edit(/enabled = true/, 'enabled = "perhaps"');
  t.is((await faultOf(() => server.reload())).code, 'config');
  await send(port, packetAt(clock.unixMs()));
  await counts(server, 'refused');
  t.is(server.grants().length, 0);
});

test('a service that wants a narrower admission than a client of fwknop can have is none for it', async (t) => {
  const { folder, port } = await fwknopFolder(t);
  const path = peerFile(folder, 'alice');
  await appendFile(path, 'admission = "gate"\n');
  const { server, clock, log } = await runFwknop(t, folder);
  t.true(log.lines.some(({ event }) => event === 'fwknop has no such admission'));
  await send(port, packetAt(clock.unixMs()));
  await counts(server, 'dropped hmac');
});

test('two peers with one HMAC key are a fault of the configuration', async (t) => {
  const { folder } = await fwknopFolder(t);
  await folder.addPeer('bob', { services: ['ssh'] });
  await appendFile(peerFile(folder, 'bob'), lines);
  const { options, firewall } = partsFor(folder);
  t.is((await faultOf(() => Server.start({ ...options, modes: [startFwknop] }))).code, 'config');
  t.is(firewall.left, 'open');
});
