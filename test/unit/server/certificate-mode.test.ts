import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  type CertificateAccess,
  readCertificateAccess,
} from '../../../src/client/certificate-access.ts';
import { certificateProfile } from '../../../src/client/certificate-profile.ts';
import type { DropReason } from '../../../src/errors/drop-reason.ts';
import { startCertificateMode } from '../../../src/server/certificate-mode.ts';
import { PKCS12_PASSWORD } from '../../../src/store/pkcs12.ts';
import { decodeProfile, encodeProfile } from '../../../src/store/profile-file.ts';
import { certificatePeerName, parseServiceName } from '../../../src/units/names.ts';
import type { Port } from '../../../src/units/network.ts';
import { until } from '../../support/netns.ts';
import { extensionsWith, namesOf, OpensslCa } from '../pki/openssl-ca.ts';
import { faultOf } from '../store/scratch.ts';
import { Folder } from './folder.ts';
import { knockFor, outcomeOf, run, type Running } from './running.ts';

/** Certificates begin with the second in which they are made. */
const WHEN = Date.now() + 3_600_000;
const TWO_YEARS_MS = 2 * 365 * 86_400_000;

const authorised = extensionsWith({
  names: namesOf('otherName.1 = 1.3.6.1.4.1.19518;UTF8:1.22,1.443'),
});

/** A server that takes certificates of OpenSSL's making, and all that a client of it has. */
class Stage {
  readonly ca: OpensslCa;
  readonly folder: Folder;

  static async set(t: ExecutionContext): Promise<Stage> {
    const stage = new Stage(new OpensslCa(t), await Folder.create(t));
    stage.ca.issue('server');
    stage.publish('ca.pem');
    stage.publish('server.key');
    await appendFile(
      join(stage.folder.path, 'hknock.toml'),
      `
[certificates]
ca = "ca.pem"
key = "server.key"
crl = "crl.pem"
threads = 1
`,
    );
    stage.publishCrl();
    return stage;
  }

  private constructor(ca: OpensslCa, folder: Folder) {
    this.ca = ca;
    this.folder = folder;
  }

  publish(name: string): void {
    const path = join(this.folder.path, name);
    copyFileSync(this.ca.path(name), path);
    chmodSync(path, 0o600);
  }

  publishCrl(): void {
    this.ca.crl('-crldays', '3650');
    this.publish('crl.pem');
  }

  run(t: ExecutionContext, unixMs = WHEN): Promise<Running> {
    return run(t, this.folder, { unixMs, modes: [startCertificateMode] });
  }

  /** What a client of this server has, its certificate being of this authority if no other is said. */
  async access({ server }: Running, name: string, ca = this.ca): Promise<CertificateAccess> {
    const [listen = ''] = server.status().listen;
    return readCertificateAccess({
      hosts: ['127.0.0.1'],
      port: Number(listen.split(':')[1]) as Port,
      certificate: ca.path(`${name}.pem`),
      privateKey: ca.path(`${name}.key`),
      serverCertificate: this.ca.path('server.pem'),
    });
  }
}

function dropsOf({ server }: Running, reason: DropReason): number {
  return server.status().knocks.drops[reason];
}

/** What the log says of the first refusal for this reason, if there is one. A client repeats its proof, and the repetition may be refused after the client has given up: the order of refusals tells nothing. */
function refusedIn({ log }: Running, reason: string): unknown {
  return log.lines.find(
    ({ event, fields }) => event === 'certificate refused' && fields['reason'] === reason,
  )?.fields;
}

test('a certificate opens what it names, and nothing else', async (t) => {
  const stage = await Stage.set(t);
  stage.ca.issue('alice', { serial: 'a1', extensions: authorised });
  const running = await stage.run(t);
  const access = await stage.access(running, 'alice');
  const granted = await knockFor(access, 'ssh', { admission: 'once' });
  t.like(granted, { granted: true, admission: 'once', ports: [{ protocol: 'tcp', port: 22 }] });
  t.like(running.server.grants()[0], { peer: certificatePeerName('a1'), service: 'ssh' });
  t.like(await knockFor(access, 'web'), { granted: false, reason: 'service-refused' });
  t.like(running.server.status().modes['certificate'], { threads: 1, done: 2, crashed: 0 });
  // the same process serves those with a pre-shared secret
  const bob = await stage.folder.addPeer('bob');
  await running.server.reload();
  t.like(await knockFor(bob), { granted: true });
});

test('expired, of another authority, revoked, or another’s: silence, a counter, and one line in the log', async (t) => {
  const stage = await Stage.set(t);
  stage.ca.issue('alice', { serial: 'a1', extensions: authorised });
  stage.ca.issue('carol', { serial: 'c1', extensions: authorised });
  const other = new OpensslCa(t);
  other.issue('mallory', { extensions: authorised });
  stage.ca.revoke('carol');
  stage.publishCrl();
  const running = await stage.run(t);
  const alice = await stage.access(running, 'alice');
  const carol = await stage.access(running, 'carol');
  const mallory = await stage.access(running, 'mallory', other);
  const source = '127.0.0.1';
  // again where a busy machine was too slow for a client to get as far as its proof
  const untilRefused = (access: Parameters<typeof outcomeOf>[0], reason: string): Promise<void> =>
    until(async () => {
      t.is(await outcomeOf(access), 'no-answer');
      return refusedIn(running, reason) !== undefined;
    }, `the refusal as ${reason} to be logged`);

  await untilRefused(carol, 'certificate-revoked');
  t.like(refusedIn(running, 'certificate-revoked'), { source, peer: certificatePeerName('c1') });
  const before = dropsOf(running, 'certificate');
  t.true(before > 0);

  await untilRefused(mallory, 'certificate-untrusted');
  t.like(refusedIn(running, 'certificate-untrusted'), { source });
  t.true(dropsOf(running, 'certificate') > before);

  await untilRefused({ ...alice, privateKey: carol.privateKey }, 'proof');
  t.like(refusedIn(running, 'proof'), { source });
  t.true(dropsOf(running, 'proof') > 0);

  t.like(await knockFor(alice), { granted: true }, 'positive control');
  running.clock.advance(TWO_YEARS_MS);
  await untilRefused(alice, 'certificate-expired');
  t.is(running.server.status().knocks.granted, 1);
});

test('another key of the server counts with a reload, and the old one no more', async (t) => {
  const stage = await Stage.set(t);
  stage.ca.issue('alice', { serial: 'a1', extensions: authorised });
  const running = await stage.run(t);
  const before = await stage.access(running, 'alice');
  copyFileSync(stage.ca.path('server.key'), stage.ca.path('old.key'));
  stage.ca.run(
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-out',
    'server.key',
  );
  stage.ca.issue('server');
  stage.publish('server.key');
  await running.server.reload();
  t.is(await outcomeOf(before), 'no-answer');
  t.like(await knockFor(await stage.access(running, 'alice')), { granted: true });
});

const password = 'open sesame';

/** Has openssl put a key and its certificate into one file. */
function exportPkcs12(ca: OpensslCa, name: string): string {
  const file = ca.path(`${name}.p12`);
  const parts = ['-in', ca.path(`${name}.pem`), '-inkey', ca.path(`${name}.key`), '-out', file];
  execFileSync('openssl', ['pkcs12', '-export', '-passout', `pass:${password}`, ...parts]);
  chmodSync(file, 0o600);
  return file;
}

test('server and client may have their keys in PKCS#12, and the client keeps a profile', async (t) => {
  const stage = await Stage.set(t);
  const { ca, folder } = stage;
  ca.issue('alice', { serial: 'a1', extensions: authorised });
  exportPkcs12(ca, 'server');
  stage.publish('server.p12');
  const config = join(folder.path, 'hknock.toml');
  await writeFile(config, (await readFile(config, 'utf8')).replace('server.key', 'server.p12'));
  process.env[PKCS12_PASSWORD] = password;
  const running = await stage.run(t);
  delete process.env['HKNOCK_PKCS12_PASSWORD'];
  const [listen = ''] = running.server.status().listen;
  const files = {
    certificate: exportPkcs12(ca, 'alice'),
    serverCertificate: ca.path('server.pem'),
  };
  const request = {
    ...files,
    hosts: ['127.0.0.1'] as const,
    port: Number(listen.split(':')[1]) as Port,
    services: [parseServiceName('ssh')],
  };
  t.is((await faultOf(() => certificateProfile(request))).code, 'bad-input', 'no password');
  const wrong = { ...request, passphrase: 'open barley' };
  const fault = await faultOf(() => certificateProfile(wrong));
  t.is(fault.code, 'bad-input');
  t.false(fault.message.includes('barley'));
  const made = await certificateProfile({ ...request, passphrase: password });
  const profile = decodeProfile(encodeProfile(made), 'alice.toml');
  t.like(profile, { name: '127.0.0.1', peer: certificatePeerName('a1') });
  t.like(await knockFor(profile), { granted: true, service: 'ssh' });
});

test('a PKCS#12 file that others may read is refused, and a certificate without its key', async (t) => {
  const stage = await Stage.set(t);
  const { ca } = stage;
  ca.issue('alice', { serial: 'a1', extensions: authorised });
  ca.issue('bob', { serial: 'b1', extensions: authorised });
  ca.issue('carol', { extensions: extensionsWith({ names: '' }) });
  const certificate = exportPkcs12(ca, 'alice');
  chmodSync(certificate, 0o644);
  const rest = {
    serverCertificate: ca.path('server.pem'),
    hosts: ['127.0.0.1'] as const,
    services: [parseServiceName('ssh')],
  };
  const codeOf = async (files: { certificate: string; privateKey?: string; passphrase?: string }) =>
    (await faultOf(() => certificateProfile({ ...rest, ...files }))).code;
  t.is(await codeOf({ certificate, passphrase: password }), 'config');
  t.is(await codeOf({ certificate: ca.path('alice.pem') }), 'usage');
  const mixed = { certificate: ca.path('alice.pem'), privateKey: ca.path('bob.key') };
  t.is(await codeOf(mixed), 'bad-input');
  const silent = { certificate: ca.path('carol.pem'), privateKey: ca.path('carol.key') };
  t.is(await codeOf(silent), 'bad-input', 'it does not say what it opens');
});
