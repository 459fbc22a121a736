import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { readRequest } from '../../../src/pki/authority.ts';
import { decodePem } from '../../../src/pki/pem.ts';
import { readRevocationList } from '../../../src/pki/revocation-list.ts';
import { CertificateVerifier } from '../../../src/pki/verifier.ts';
import {
  type AuthorityHost,
  initAuthority,
  issue,
  keyText,
  newKey,
  renewCrl,
  revoke,
} from '../../../src/server/authority.ts';
import { encodePkcs12 } from '../../../src/store/pkcs12.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parseServicePort, type ServicePort } from '../../../src/units/network.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { p256 } from '../pki/openssl-ca.ts';
import { faultOf, scratch } from '../store/scratch.ts';

const crlDays = 30;
const ssh = [parseServicePort('tcp/22')];

/** An authority of the test's own. */
class Stage {
  readonly clock = new FakeClock(Date.now());
  readonly host: AuthorityHost;

  static async set(t: ExecutionContext): Promise<Stage> {
    const stage = new Stage(await scratch(t));
    await initAuthority(stage.host, { name: 'Test-CA', crlDays });
    return stage;
  }

  private constructor(directory: string) {
    this.host = { directory, clock: this.clock, entropy: createSystemEntropy() };
  }

  path(name: string): string {
    return join(this.host.directory, name);
  }

  /** Issues a certificate, and gives its DER; `NAME.pem` and `NAME.key` lie in the folder then. */
  async issue(name: string, authorised: readonly ServicePort[] | null = ssh): Promise<Uint8Array> {
    const key = newKey();
    const pem = await issue(this.host, {
      name,
      authorised,
      publicKey: createPublicKey(key),
      days: 365,
    });
    writeFileSync(this.path(`${name}.pem`), pem);
    writeFileSync(this.path(`${name}.key`), keyText(key));
    return der(pem);
  }

  verifier(): CertificateVerifier {
    return new CertificateVerifier({ ca: der(readFileSync(this.path('ca/ca.pem'), 'utf8')) });
  }

  crl() {
    const text = readFileSync(this.path('ca/crl.pem'), 'utf8');
    const list = readRevocationList(der(text, 'X509 CRL'), this.verifier().anchor);
    if (typeof list === 'string') throw new Error(list);
    return list;
  }

  openssl(...args: readonly string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.host.directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

function der(pem: string, label = 'CERTIFICATE'): Uint8Array {
  const bytes = decodePem(pem, label);
  if (bytes === null) throw new Error('no PEM');
  return bytes;
}

test('OpenSSL and we accept what is issued, each for its purpose', async (t) => {
  const stage = await Stage.set(t);
  const ports = ['tcp/22', 'udp/60001'].map(parseServicePort);
  const alice = await stage.issue('alice', ports);
  const certificate = stage.verifier().verify(alice, stage.clock.unixMs());
  if (typeof certificate === 'string') throw new Error(certificate);
  t.deepEqual(certificate.authorised, ports);
  t.is(certificate.subject, 'alice');
  const gate = await stage.issue('gate.example.org', null);
  t.is(stage.verifier().verify(gate, stage.clock.unixMs()), 'certificate-wrong-usage');
  const verify = (purpose: string, name: string): string =>
    stage.openssl('verify', '-CAfile', 'ca/ca.pem', '-x509_strict', '-purpose', purpose, name);
  t.is(verify('sslclient', 'alice.pem'), 'alice.pem: OK\n');
  t.is(verify('sslserver', 'gate.example.org.pem'), 'gate.example.org.pem: OK\n');
  t.throws(() => verify('sslserver', 'alice.pem'));
  t.regex(stage.openssl('x509', '-in', 'alice.pem', '-noout', '-text'), /19518::1\.22,0\.60001/);
});

test('a revoked certificate is on the list, for OpenSSL and for us', async (t) => {
  const stage = await Stage.set(t);
  t.is(stage.crl().serials.size, 0);
  const [alice] = [await stage.issue('alice'), await stage.issue('bob')];
  t.is(await revoke(stage.host, { name: 'alice', crlDays }), 1);
  const verifier = stage.verifier();
  verifier.setRevocations(stage.crl());
  t.is(verifier.verify(alice, stage.clock.unixMs()), 'certificate-revoked');
  t.regex(crlCheck(stage), /verify OK/);
  const check = (name: string): string =>
    stage.openssl('verify', '-crl_check', '-CRLfile', 'ca/crl.pem', '-CAfile', 'ca/ca.pem', name);
  t.is(check('bob.pem'), 'bob.pem: OK\n');
  t.throws(() => check('alice.pem'), { message: /certificate revoked/ });
});

function crlCheck(stage: Stage): string {
  const args = ['crl', '-in', 'ca/crl.pem', '-CAfile', 'ca/ca.pem', '-noout', '-verify'];
  // openssl says it on standard error
  return execFileSync('sh', ['-c', `openssl ${args.join(' ')} 2>&1`], {
    cwd: stage.host.directory,
    encoding: 'utf8',
  });
}

test('all certificates of a name are revoked together, and nobody twice', async (t) => {
  const stage = await Stage.set(t);
  await stage.issue('alice');
  await stage.issue('alice');
  t.is(await revoke(stage.host, { name: 'alice', crlDays }), 2);
  t.is(stage.crl().serials.size, 2);
  t.is((await faultOf(() => revoke(stage.host, { name: 'alice', crlDays }))).code, 'usage');
  t.is((await faultOf(() => revoke(stage.host, { name: 'nobody', crlDays }))).code, 'usage');
});

test('every list has a higher number and the time of the next', async (t) => {
  const stage = await Stage.set(t);
  const first = stage.crl();
  stage.clock.advance(5000);
  t.is(await renewCrl(stage.host, { crlDays: 7 }), stage.path('ca/crl.pem'));
  const second = stage.crl();
  t.is(second.number, first.number + 1n);
  t.is(second.nextUpdate - second.thisUpdate, 7 * 86_400_000);
});

test('openssl ca goes on with our folder, and we with what it did', async (t) => {
  const stage = await Stage.set(t);
  const alice = await stage.issue('alice');
  await stage.issue('bob');
  writeFileSync(
    stage.path('ca.cnf'),
    `[ca]\ndefault_ca = here\n[here]\ndir = ${stage.path('ca')}\ndatabase = $dir/index.txt\ncrlnumber = $dir/crlnumber
certificate = $dir/ca.pem\nprivate_key = $dir/ca.key\ndefault_md = sha256\ndefault_crl_days = 30\n`,
  );
  stage.openssl('ca', '-config', 'ca.cnf', '-revoke', 'alice.pem', '-crl_reason', 'superseded');
  stage.openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'ca/crl.pem');
  const verifier = stage.verifier();
  const theirs = stage.crl();
  verifier.setRevocations(theirs);
  t.is(verifier.verify(alice, stage.clock.unixMs()), 'certificate-revoked');
  await revoke(stage.host, { name: 'bob', crlDays });
  t.is(stage.crl().number, theirs.number + 1n);
  t.is(stage.crl().serials.size, 2);
});

test('a request made by OpenSSL is signed for its key, and its own wishes do not count', async (t) => {
  const stage = await Stage.set(t);
  stage.openssl('genpkey', ...p256, '-out', 'bob.key');
  const wish = [
    '-addext',
    'subjectAltName=DNS:gate.example.org',
    '-addext',
    'basicConstraints=CA:TRUE',
  ];
  stage.openssl('req', '-new', '-key', 'bob.key', '-subj', '/CN=root', ...wish, '-out', 'bob.csr');
  const publicKey = await readRequest(readFileSync(stage.path('bob.csr'), 'utf8'));
  const pem = await issue(stage.host, { name: 'bob', authorised: ssh, publicKey, days: 1 });
  const certificate = stage.verifier().verify(der(pem), stage.clock.unixMs());
  if (typeof certificate === 'string') throw new Error(certificate);
  t.is(certificate.subject, 'bob');
  t.deepEqual(certificate.authorised, ssh);
  const own = createPublicKey(readFileSync(stage.path('bob.key')));
  t.true(certificate.publicKey.equals(own));
});

test('a request for another kind of key, that is not signed by it, or that is none, is refused', async (t) => {
  const stage = await Stage.set(t);
  const request = (...key: readonly string[]): string => {
    stage.openssl('genpkey', ...key, '-out', 'k.key');
    return stage.openssl('req', '-new', '-key', 'k.key', '-subj', '/CN=x');
  };
  const good = request(...p256);
  t.truthy(await readRequest(good));
  const bytes = Buffer.from(der(good, 'CERTIFICATE REQUEST'));
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const rsa = request('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048');
  for (const each of [rsa, forged, 'nothing', '', good.slice(0, 200)]) {
    t.is((await faultOf(() => readRequest(each))).code, 'bad-input');
  }
});

test('a certificate that would not fit into a knock is refused, and not in the index', async (t) => {
  const stage = await Stage.set(t);
  const many = (count: number): readonly ServicePort[] =>
    Array.from({ length: count }, (_, at) => parseServicePort(`tcp/${String(10_000 + at)}`));
  t.true((await stage.issue('alice', many(30))).length <= 700);
  const fault = await faultOf(() => stage.issue('bob', many(50)));
  t.is(fault.code, 'usage');
  t.regex(fault.message, /700/);
  t.notRegex(readFileSync(stage.path('ca/index.txt'), 'utf8'), /bob/);
});

test('the longest name and one port fit into a knock', async (t) => {
  const stage = await Stage.set(t);
  t.true((await stage.issue('a'.repeat(64))).length <= 700);
});

test('a certificate is valid no longer than the authority', async (t) => {
  const stage = await Stage.set(t);
  const publicKey = createPublicKey(newKey());
  const options = { name: 'alice', authorised: ssh, publicKey, days: 9999 };
  const alice = der(await issue(stage.host, options));
  const { anchor } = stage.verifier();
  const certificate = stage.verifier().verify(alice, stage.clock.unixMs());
  if (typeof certificate === 'string') throw new Error(certificate);
  t.is(certificate.notAfter, anchor.notAfter);
  const after = (anchor.notAfter + 1000) as UnixMs;
  t.is(stage.verifier().verify(alice, after), 'certificate-expired');
});

test('there is one authority in a folder, of files for their owner alone', async (t) => {
  const stage = await Stage.set(t);
  const key = readFileSync(stage.path('ca/ca.key'), 'utf8');
  t.is((await faultOf(() => initAuthority(stage.host, { name: 'x', crlDays }))).code, 'usage');
  t.is(readFileSync(stage.path('ca/ca.key'), 'utf8'), key);
  for (const name of ['ca.key', 'ca.pem', 'index.txt', 'crlnumber', 'crl.pem']) {
    t.is(statSync(stage.path(`ca/${name}`)).mode & 0o777, 0o600);
  }
});

test('without an authority, or with a wrong or open file, nothing is issued', async (t) => {
  const stage = await Stage.set(t);
  const nowhere = { ...stage.host, directory: stage.path('nowhere') };
  t.is((await faultOf(() => renewCrl(nowhere, { crlDays }))).code, 'config');
  const key = readFileSync(stage.path('ca/ca.key'), 'utf8');
  for (const spoil of [
    () => {
      writeFileSync(stage.path('ca/ca.key'), keyText(newKey()));
    },
    () => {
      writeFileSync(stage.path('ca/ca.key'), key.slice(0, 90));
    },
    () => {
      writeFileSync(stage.path('ca/ca.key'), key);
      chmodSync(stage.path('ca/ca.key'), 0o644);
    },
    () => {
      chmodSync(stage.path('ca/ca.key'), 0o600);
      writeFileSync(stage.path('ca/index.txt'), 'V\tnonsense\n');
    },
    () => {
      writeFileSync(stage.path('ca/index.txt'), '');
      writeFileSync(stage.path('ca/crlnumber'), 'x');
    },
  ]) {
    spoil();
    const fault = await faultOf(() => stage.issue('alice'));
    t.is(fault.code, 'config');
    t.false(fault.message.includes(key.slice(40, 60)));
  }
});

test('a PKCS#12 file opens with its password, and holds key and certificates', async (t) => {
  const stage = await Stage.set(t);
  await stage.issue('alice');
  const parts = ['alice.key', 'alice.pem', 'ca/ca.pem'].map((name) =>
    readFileSync(stage.path(name), 'utf8'),
  );
  const file = await encodePkcs12(parts.join(''), { name: 'alice', password: 'open sesame' });
  writeFileSync(stage.path('alice.p12'), file);
  const open = (password: string): string =>
    stage.openssl('pkcs12', '-in', 'alice.p12', '-noenc', '-passin', `pass:${password}`);
  t.throws(() => open('wrong'));
  const text = open('open sesame');
  const key = keyIn(text);
  t.is(key, keyIn(parts[0] ?? ''));
  t.is(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
});

function keyIn(text: string): string {
  return Buffer.from(der(text, 'PRIVATE KEY')).toString('hex');
}

test('what openssl says of wrong input is told', async (t) => {
  const fault = await faultOf(() => encodePkcs12('nothing', { name: 'x', password: 'y' }));
  t.is(fault.code, 'host');
});
