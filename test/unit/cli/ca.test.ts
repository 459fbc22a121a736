import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import test from 'ava';
import type { Machine } from '../../support/machine.ts';
import { until } from '../../support/netns.ts';
import { furnished, machineOf, tryIt } from './local.ts';

/** What OpenSSL shows of a certificate in the machine's home. */
function shown(machine: Machine, file: string): string {
  const args = ['x509', '-in', machine.path(file), '-noout', '-text'];
  return execFileSync('openssl', args, { encoding: 'utf8' });
}

test.serial('ca init, issue, revoke and crl, with what was made on standard output', async (t) => {
  const { machine } = await furnished(t);
  const home = { dir: machine.path('server/ca'), out: machine.path('alice.pem') };
  t.is((await machine.hknock(['ca', 'init'])).stdout, `${home.dir}\n`);
  const what = ['--service', 'web,udp/60001', '--out', home.out];
  const { stdout, stderr } = await machine.hknock(['ca', 'issue', 'alice', ...what]);
  t.is(stdout, `${home.out}\n${machine.path('alice.key')}\n`);
  t.is(statSync(machine.path('alice.key')).mode & 0o777, 0o600);
  t.false(stderr.includes('PRIVATE'));
  t.regex(shown(machine, 'alice.pem'), /19518::1\.80,1\.443,0\.60001\n/);
  const revoked = await machine.hknock(['ca', 'revoke', 'alice']);
  t.is(revoked.stdout, '');
  t.regex(revoked.stderr, /^1 revoked\n.*counts from the next start/s);
  t.is((await machine.hknock(['ca', 'crl'])).stdout, `${home.dir}/crl.pem\n`);
});

test.serial(
  "the server's own certificate and key go where the configuration has them",
  async (t) => {
    const { machine } = await furnished(t);
    await machine.hknock(['ca', 'init']);
    const { stdout } = await machine.hknock(['ca', 'issue', 'gate.example.org', '--server']);
    t.is(stdout, `${machine.path('server/server.pem')}\n${machine.path('server/server.key')}\n`);
    t.regex(shown(machine, 'server/server.pem'), /TLS Web Server Authentication/);
  },
);

test.serial('nothing is overwritten, and nothing issued then', async (t) => {
  const { machine } = await furnished(t);
  await machine.hknock(['ca', 'init']);
  t.is((await tryIt(t, machine, ['ca', 'init'])).code, 64);
  const issue = ['ca', 'issue', 'alice', '--service', 'ssh', '--out', machine.path('alice.pem')];
  await machine.hknock(issue);
  const files = ['alice.pem', 'alice.key', 'server/ca/index.txt'].map((each) => machine.path(each));
  const before = files.map((each) => readFileSync(each, 'utf8'));
  t.is((await tryIt(t, machine, issue)).code, 64);
  t.deepEqual(
    files.map((each) => readFileSync(each, 'utf8')),
    before,
  );
});

test.serial('what cannot be issued leaves no file behind', async (t) => {
  const { machine } = await furnished(t);
  const out = ['--out', machine.path('x.pem')];
  const issue = (...args: readonly string[]) =>
    tryIt(t, machine, ['ca', 'issue', 'alice', ...args, ...out]);
  t.is((await issue('--service', 'ssh')).code, 78, 'no authority');
  await machine.hknock(['ca', 'init']);
  t.is((await issue()).code, 64);
  t.is((await issue('--service', 'ssh', '--server')).code, 64);
  t.is((await issue('--service', 'ftp')).code, 64);
  t.is((await issue('--service', 'tcp/0')).code, 64);
  t.is((await issue('--service', 'ssh', '--days', '0')).code, 64);
  t.is((await issue('--service', 'ssh', '--csr', machine.path('none'))).code, 65);
  t.is((await issue('--service', 'ssh', '--csr', 'x', '--pkcs12')).code, 64);
  t.is((await issue('--service', 'ssh', '--pkcs12')).code, 64, 'no password');
  const ports = Array.from({ length: 60 }, (_, at) => `tcp/${String(20_000 + at)}`).join();
  const long = await issue('--service', ports);
  t.is(long.code, 64);
  t.regex(long.stderr, /700 is the most that fits/);
  t.is((await tryIt(t, machine, ['ca', 'revoke', 'alice'])).code, 64);
  t.false(readdirSync(machine.home).some((name) => name.startsWith('x.')));
});

test.serial('an authority needs no server beside it', async (t) => {
  const machine = machineOf(t);
  await machine.hknock(['ca', 'init', '--name', 'My-CA']);
  const out = ['--out', machine.path('alice.p12')];
  const env = { HKNOCK_PKCS12_PASSWORD: 'open sesame' };
  const issue = ['ca', 'issue', 'alice', '--service', 'tcp/22', '--pkcs12', ...out];
  const { stdout, stderr } = await machine.hknock(issue, { env });
  t.is(stdout, `${machine.path('alice.p12')}\n`);
  t.false(stderr.includes('sesame'));
  t.false(existsSync(machine.path('alice.key')));
  const { stderr: said } = await machine.hknock(['ca', 'revoke', 'alice']);
  t.is(said, '1 revoked\n');
});

test.serial(
  'one file for a client: a profile with certificate and key, which knocks',
  async (t) => {
    const { machine, folder } = await furnished(t);
    await machine.hknock(['ca', 'init']);
    await machine.hknock(['ca', 'issue', 'gate', '--server']);
    const file = machine.path('carol.toml');
    const issue = ['ca', 'issue', 'carol', '--service', 'ssh,web', '--profile', file];
    const index = (): string => readFileSync(machine.path('server/ca/index.txt'), 'utf8');
    const before = index();
    t.is(
      (await tryIt(t, machine, [...issue, '--host', '127.0.0.1'])).code,
      78,
      'no [certificates]',
    );
    const certificates =
      '[certificates]\nca = "ca/ca.pem"\nkey = "server.key"\ncrl = "ca/crl.pem"\n';
    await folder.edit(/$/, `\n${certificates}`);
    t.is((await tryIt(t, machine, issue)).code, 64, 'nobody says how clients reach the server');
    issue.push('--host', '127.0.0.1');
    t.is((await tryIt(t, machine, [...issue, '--pkcs12'])).code, 64);
    t.is((await tryIt(t, machine, [...issue, '--service', 'ssh,tcp/25'])).code, 64, 'no name');
    t.is(index(), before, 'nothing issued by all this');

    t.is((await machine.hknock(issue)).stdout, `${file}\n`);
    t.is(statSync(file).mode & 0o777, 0o600);
    t.is((await tryIt(t, machine, issue)).code, 64, 'it is there');
    await machine.hknock(['import', file, '--name', 'by-certificate']);
    const daemon = await machine.serve('--firewall', 'none');
    const { stdout } = await machine.hknock(['knock', 'by-certificate', 'web', '--json']);
    t.like(JSON.parse(stdout), { granted: true, service: 'web', mode: 'certificate' });
    await until(() => / granted .*peer=cert-/.test(daemon.log), 'the log to say so');
    t.is(
      (await tryIt(t, machine, ['ca', 'issue', 'dave', '--service', 'ssh', '--host', 'x'])).code,
      64,
    );
  },
);
