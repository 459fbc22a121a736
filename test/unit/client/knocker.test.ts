import { createPublicKey } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { readCertificate, readKey } from '../../../fixtures/oracle/sknock.ts';
import { createKnocker, Knocker, type KnockerOptions } from '../../../src/client/knocker.ts';
import { KnockLimits } from '../../../src/guard/knock-limits.ts';
import { CertificateVerifier } from '../../../src/pki/verifier.ts';
import { ReplayCache } from '../../../src/sknock/replay-cache.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { formatServicePort, type Port } from '../../../src/units/network.ts';
import { type MonotonicMs, parseDuration, type UnixMs } from '../../../src/units/time.ts';
import { sknockServer } from '../../support/sknock.ts';
import { address } from '../grants/plans.ts';
import { faultOf, scratch } from '../store/scratch.ts';

/** Alice's certificate is for tcp/22, tcp/8080 and udp/60001: each test has an address of its own for them. */
const identity = {
  certificate: readCertificate('alice'),
  privateKey: readKey('alice'),
  serverKey: createPublicKey(readKey('server')),
};

interface Ear {
  readonly port: Port;
  readonly heard: readonly Buffer[];
  readonly socket: Socket;
}

/** A UDP port that keeps what it hears. */
async function listen(t: ExecutionContext, host: string): Promise<Ear> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const heard: Buffer[] = [];
  socket.on('message', (datagram) => heard.push(datagram));
  await once(socket.bind(0, host), 'listening');
  t.teardown(() => {
    socket.close();
  });
  return { port: socket.address().port as Port, heard, socket };
}

function knocker(
  { port }: Ear,
  options: Omit<KnockerOptions, 'certificate' | 'privateKey' | 'serverCertificate'> = {},
) {
  return new Knocker(identity, { knockPort: port, ...options });
}

for (const [host, from] of [
  ['127.77.3.1', '127.0.0.1'],
  ['::1', '::1'],
] as const) {
  test(`a server takes what is sent to ${host}, from the address that it names`, async (t) => {
    const ear = await listen(t, host);
    const arrived = once(ear.socket, 'message');
    const sent = await knocker(ear).knock(host, 60_001, 'udp');
    await arrived;
    t.deepEqual(sent, {
      server: address(host),
      port: { protocol: 'udp', port: 60_001 as Port },
      claimed: address(from),
      connection: null,
    });
    const plenty = { perSecond: 100, burst: 100 };
    const receive = sknockServer({
      privateKey: readKey('server'),
      certificates: new CertificateVerifier({ ca: readCertificate('ca') }),
      serviceOf: () => parseServiceName('any'),
      windowMs: parseDuration('7s'),
      checkAddress: true,
      minFrameLength: 0,
      limits: new KnockLimits(plenty, plenty),
      replays: new ReplayCache(10),
    });
    const [datagram] = ear.heard;
    const judged = receive(datagram ?? Buffer.of(), {
      source: { address: address(from), port: 7 },
      unixMs: Date.now() as UnixMs,
      monotonicMs: 0 as MonotonicMs,
    });
    t.like(judged, { kind: 'knock', knock: { port: sent.port } });
  });
}

test('a TCP port is tried after each knock, and the connection is what comes of it', async (t) => {
  const host = '127.77.3.2';
  const ear = await listen(t, host);
  const service = createServer((socket) => socket.end('hello'));
  t.teardown(() => service.close());
  // as a server that the first knock did not reach
  ear.socket.on('message', () => {
    if (ear.heard.length === 2) service.listen(8080, host);
  });
  const options = { timeoutMs: 300, retries: 5 };
  const { connection } = await knocker(ear, options).knock(host, 8080, 'tcp');
  if (connection === null) throw new Error('not verified');
  t.is(String(await once(connection, 'data')), 'hello');
  connection.destroy();
  t.true(ear.heard.length >= 2);
  t.notDeepEqual(ear.heard[0], ear.heard[1], 'the same request opens once only');
});

test('a port that stays shut is no answer, after so many knocks', async (t) => {
  const host = '127.77.3.3';
  const ear = await listen(t, host);
  const fault = await faultOf(() =>
    knocker(ear, { timeoutMs: 20, retries: 2 }).knock(host, 22, 'tcp'),
  );
  t.is(fault.code, 'no-answer');
  t.regex(fault.message, /127\.77\.3\.3:22 did not open for 127\.0\.0\.1/);
  t.is(ear.heard.length, 3);
});

test('without verifying, one knock is all there is, for the address that is named', async (t) => {
  const host = '127.77.3.4';
  const ear = await listen(t, host);
  const arrived = once(ear.socket, 'message');
  const source = address('203.0.113.5');
  const sent = await knocker(ear, { verify: false, source }).knock(host, 22, 'tcp');
  await arrived;
  t.like(sent, { connection: null, claimed: source });
  t.is(ear.heard.length, 1);
});

test('a port that the certificate is not for is not asked for', async (t) => {
  const host = '127.77.3.5';
  const ear = await listen(t, host);
  const fault = await faultOf(() => knocker(ear).knock(host, 22, 'udp'));
  t.is(fault.code, 'usage');
  t.is(fault.hint, 'it is for: tcp/22, tcp/8080, udp/60001');
  t.deepEqual(ear.heard, []);
});

test('a knocker is made from files, with the password of the key', async (t) => {
  const directory = await scratch(t);
  const fixture = (name: string) =>
    fileURLToPath(new URL(`../../../fixtures/sknock/${name}`, import.meta.url));
  const privateKey = join(directory, 'alice.key');
  const secret = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  await writeFile(privateKey, readKey('alice').export(secret), { mode: 0o600 });
  const files = {
    certificate: fixture('alice.pem'),
    privateKey,
    serverCertificate: fixture('bob.pem'),
  };
  const { authorised } = await createKnocker({ ...files, passphrase: 'x' });
  t.deepEqual(authorised.map(formatServicePort), ['tcp/22', 'tcp/8080', 'udp/60001']);
  for (const wrong of [{}, { passphrase: 'y' }]) {
    t.is((await faultOf(() => createKnocker({ ...files, ...wrong }))).code, 'bad-input');
  }
  const other = { ...files, passphrase: 'x', certificate: fixture('bob.pem') };
  t.regex((await faultOf(() => createKnocker(other))).message, /is not the key of/);
});
