import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { readProfileFile } from '../../../src/store/profile-file.ts';
import { formatEnrolmentUri } from '../../../src/store/enrolment-uri.ts';
import { freePort } from '../../support/free-port.ts';
import type { Machine } from '../../support/machine.ts';
import { furnished, machineOf, tryIt } from './local.ts';

function modeOf(machine: Machine, path: string): number {
  return statSync(machine.path(path)).mode & 0o777;
}

/** The secret of a peer, as its file on the server has it. */
function secretOf(machine: Machine, peer: string): string {
  const text = readFileSync(machine.path(`server/peers/${peer}.toml`), 'utf8');
  const [, secret = ''] = /^secret = "(.+)"$/m.exec(text) ?? [];
  if (secret === '') throw new Error('no secret');
  return secret;
}

async function addPeer(machine: Machine, name: string): Promise<string> {
  const out = machine.path(`${name}.profile.toml`);
  const host = ['--host', 'gate.example.org', '--out', out];
  await machine.hknock(['peer', 'add', name, '--service', 'ssh', ...host]);
  return out;
}

/** Nothing that was said has the secret in it. */
function noSecret(t: ExecutionContext, machine: Machine, peer: string, ...texts: string[]): void {
  for (const text of texts) t.false(text.includes(secretOf(machine, peer)));
}

test.serial(
  'init, service add, peer add and import lead to a profile, and results alone go to standard output',
  async (t) => {
    const machine = machineOf(t);
    const port = await freePort();
    const init = await machine.hknock(['init', '--listen', `127.0.0.1:${String(port)}`]);
    t.is(init.stdout, `${machine.path('server')}\n`);
    const service = await machine.hknock([
      'service',
      'add',
      'ssh',
      'tcp/22,udp/60001',
      '--ttl',
      '5m',
    ]);
    t.is(service.stdout, '');
    const out = await addPeer(machine, 'alice');
    const imported = await machine.hknock(['import', out, '--name', 'office']);
    t.is(imported.stdout, 'office\n');
    const { stdout } = await machine.hknock(['profiles', '--json']);
    t.deepEqual(JSON.parse(stdout), [
      {
        name: 'office',
        peer: 'alice',
        hosts: ['gate.example.org'],
        port,
        services: { ssh: ['tcp/22', 'udp/60001'] },
        expect: [],
      },
    ]);
  },
);

test.serial('what is secret is for its owner alone', async (t) => {
  const { machine } = await furnished(t);
  await addPeer(machine, 'bob');
  t.is(modeOf(machine, 'server'), 0o700);
  t.is(modeOf(machine, 'server/peers'), 0o700);
  t.is(modeOf(machine, 'server/responder.key'), 0o600);
  t.is(modeOf(machine, 'server/hknock.toml'), 0o600);
  t.is(modeOf(machine, 'server/peers/bob.toml'), 0o600);
  t.is(modeOf(machine, 'bob.profile.toml'), 0o600);
  t.is(modeOf(machine, 'config/hknock/config.json'), 0o600);
});

test.serial('secrets are never printed to what is no terminal', async (t) => {
  const { machine } = await furnished(t);
  const out = machine.path('carol.toml');
  const options = ['--service', 'ssh', '--host', 'gate.example.org', '--out', out];
  const { stdout, stderr } = await machine.hknock(['peer', 'add', 'carol', ...options]);
  t.is(stdout, `${out}\n`);
  noSecret(t, machine, 'carol', stdout, stderr);
  t.false(stderr.includes('hknock://'));
  for (const args of [['peer', 'list'], ['peer', 'show', 'carol'], ['profiles'], ['doctor']]) {
    for (const json of [[], ['--json']]) {
      const said = await tryIt(t, machine, [...args, ...json]);
      noSecret(t, machine, 'carol', said.stdout, said.stderr);
      noSecret(t, machine, 'alice', said.stdout, said.stderr);
    }
  }
});

test.serial('init overwrites nothing', async (t) => {
  const { machine } = await furnished(t);
  const before = readFileSync(machine.path('server/responder.key'), 'utf8');
  t.is((await tryIt(t, machine, ['init'])).code, 64);
  t.is(readFileSync(machine.path('server/responder.key'), 'utf8'), before);
});

test.serial(
  'a second peer of the same name is refused, and the first keeps its keys',
  async (t) => {
    const { machine } = await furnished(t);
    const before = secretOf(machine, 'alice');
    const args = ['peer', 'add', 'alice', '--service', 'ssh', '--host', 'gate.example.org'];
    t.is((await tryIt(t, machine, [...args, '--out', machine.path('new')])).code, 64);
    t.is(secretOf(machine, 'alice'), before);
    t.false(existsSync(machine.path('new')));
  },
);

test.serial('a peer whose profile cannot be written is not made', async (t) => {
  const { machine } = await furnished(t);
  const args = ['peer', 'add', 'bob', '--service', 'ssh', '--host', 'gate.example.org', '--out'];
  t.is((await tryIt(t, machine, [...args, machine.path('server/hknock.toml')])).code, 64);
  t.is((await tryIt(t, machine, [...args, machine.path('nowhere/bob')])).code, 69);
  t.deepEqual(readdirSync(machine.path('server/peers')), ['alice.toml']);
});

test.serial('a peer for a service that is not there is not made', async (t) => {
  const { machine } = await furnished(t);
  const options = ['--service', 'ftp', '--host', 'gate.example.org', '--out', machine.path('x')];
  t.is((await tryIt(t, machine, ['peer', 'add', 'bob', ...options])).code, 64);
  t.deepEqual(readdirSync(machine.path('server/peers')), ['alice.toml']);
});

test.serial(
  'rotate refuses to overwrite before it makes new keys, and then makes them',
  async (t) => {
    const { machine } = await furnished(t);
    const before = secretOf(machine, 'alice');
    const options = ['--host', 'gate.example.org', '--out'];
    const taken = machine.path('server/hknock.toml');
    t.is((await tryIt(t, machine, ['peer', 'rotate', 'alice', ...options, taken])).code, 64);
    t.is(secretOf(machine, 'alice'), before);
    const out = machine.path('new.toml');
    const { stdout } = await machine.hknock(['peer', 'rotate', 'alice', ...options, out]);
    t.is(stdout, `${out}\n`);
    t.not(secretOf(machine, 'alice'), before);
    t.is(modeOf(machine, 'new.toml'), 0o600);
  },
);

test.serial('revoke deletes the keys; a second time there is nobody to revoke', async (t) => {
  const { machine } = await furnished(t);
  t.is((await machine.hknock(['peer', 'revoke', 'alice'])).stdout, '');
  t.deepEqual(readdirSync(machine.path('server/peers')), []);
  t.is((await tryIt(t, machine, ['peer', 'revoke', 'alice'])).code, 64);
});

test.serial(
  'an enrolment URI is read from standard input, so that it need not be in a process list',
  async (t) => {
    const { machine } = await furnished(t);
    const uri = formatEnrolmentUri(await readProfileFile(await addPeer(machine, 'bob')));
    const { stdout, stderr } = await machine.hknock(['import', '-'], { input: `${uri}\n` });
    t.is(stdout, 'gate.example.org\n');
    noSecret(t, machine, 'bob', stdout, stderr);
  },
);

test.serial('an import replaces another profile only when told to', async (t) => {
  const { machine } = await furnished(t);
  const out = await addPeer(machine, 'bob');
  t.is((await tryIt(t, machine, ['import', out, '--name', 'gate'])).code, 64);
  t.is((await tryIt(t, machine, ['import', out, '--name', 'gate', '--replace'])).code, 0);
  t.is((await tryIt(t, machine, ['import', out, '--name', 'gate'])).code, 0, 'the same again');
  const { stdout } = await machine.hknock(['profiles', '--json']);
  t.deepEqual(
    (JSON.parse(stdout) as { peer: string }[]).map(({ peer }) => peer),
    ['bob'],
  );
});

test.serial('service add keeps what stands in the file, and refuses a port twice', async (t) => {
  const { machine, folder } = await furnished(t);
  await folder.edit(/^\[limits\]$/m, '# a note of the operator\n[limits]');
  await machine.hknock([
    'service',
    'add',
    'dns',
    'udp/53',
    '--admission',
    'address',
    '--ttl',
    '2m',
  ]);
  const text = readFileSync(machine.path('server/hknock.toml'), 'utf8');
  t.true(text.includes('# a note of the operator\n'));
  t.regex(text, /\[services\.dns\]\nports = \["udp\/53"\]\nadmission = "address"\nttl = "2m"\n$/);
  t.is((await tryIt(t, machine, ['service', 'add', 'dns', 'udp/54'])).code, 64);
  t.is((await tryIt(t, machine, ['service', 'add', 'dns2', 'udp/53'])).code, 78);
  t.is(readFileSync(machine.path('server/hknock.toml'), 'utf8'), text);
});

test.serial('peers can be listed and shown for people and for programs', async (t) => {
  const { machine } = await furnished(t);
  const alice = {
    name: 'alice',
    services: ['ssh', 'web'],
    admission: null,
    ttl: null,
    totp: false,
    prefix: false,
    fwknop: false,
  };
  t.deepEqual(JSON.parse((await machine.hknock(['peer', 'list', '--json'])).stdout), [alice]);
  t.deepEqual(
    JSON.parse((await machine.hknock(['peer', 'show', 'alice', '--json'])).stdout),
    alice,
  );
  t.regex((await machine.hknock(['peer', 'list'])).stdout, /^alice +ssh,web /m);
  t.is((await tryIt(t, machine, ['peer', 'show', 'bob'])).code, 64);
});

test.serial(
  'peer add --fwknop prints a stanza that a client imports, and rotate another',
  async (t) => {
    const { machine } = await furnished(t);
    const stanzaOf = async (...args: readonly string[]): Promise<string> => {
      const out = machine.path(`${String(args[1])}.profile.toml`);
      const { stdout, stderr } = await machine.hknock([
        ...['peer', ...args, '--host', '127.0.0.1', '--out', out],
      ]);
      t.regex(stderr, /enabled = true/);
      const [path, ...lines] = stdout.split('\n');
      t.is(path, out);
      return lines.join('\n');
    };
    const first = await stanzaOf('add', 'kim', '--service', 'ssh,web', '--fwknop');
    t.regex(
      first,
      /^\[127\.0\.0\.1\]\nSPA_SERVER 127\.0\.0\.1\nSPA_SERVER_PORT 62201\nACCESS tcp\/22,/,
    );
    const file = machine.path('.fwknoprc');
    writeFileSync(file, first, { mode: 0o600 });
    const imported = await machine.hknock(['import', 'fwknop', file, '--name', 'kims']);
    t.is(imported.stdout, 'kims\n');
    t.is(imported.stderr, 'next: hknock connect kims --mode fwknop\n', 'nothing is lost');
    const shown = await machine.hknock(['peer', 'show', 'kim', '--json']);
    t.like(JSON.parse(shown.stdout), { name: 'kim', fwknop: true });

    rmSync(machine.path('kim.profile.toml'));
    const second = await stanzaOf('rotate', 'kim');
    const keysOf = (text: string): readonly string[] => text.match(/^\w*KEY_BASE64 .*$/gm) ?? [];
    t.is(keysOf(second).length, 2);
    t.deepEqual(
      keysOf(first).filter((key) => second.includes(key)),
      [],
    );
  },
);

test.serial(
  'peer add --totp prints what an authenticator needs, and the client prints knocks',
  async (t) => {
    const { machine } = await furnished(t);
    const out = machine.path('sam.profile.toml');
    const { stdout } = await machine.hknock([
      ...['peer', 'add', 'sam', '--service', 'ssh', '--totp', '--host', '127.0.0.1', '--out', out],
    ]);
    const [path, uri = ''] = stdout.trim().split('\n');
    t.is(path, out);
    const { protocol, host, searchParams } = new URL(uri);
    t.is(`${protocol}//${host}`, 'otpauth://totp');
    t.is(searchParams.get('algorithm'), 'SHA256');
    t.regex(searchParams.get('secret') ?? '', /^[A-Z2-7]{52}$/);

    const knocks = await machine.hknock(['sequence', '127.0.0.1', '--profile', out, '--print']);
    t.regex(knocks.stdout, /^127\.0\.0\.1( \d{5}:tcp){6}\n$/);
    t.regex(knocks.stderr, /authenticator shows \d{6} now/);
    const shown = JSON.parse((await machine.hknock(['peer', 'show', 'sam', '--json'])).stdout) as {
      totp: boolean;
    };
    t.true(shown.totp);
  },
);

test.serial('a profile without a key for sequences is told so', async (t) => {
  const { machine } = await furnished(t);
  const { code, stderr } = await tryIt(t, machine, ['sequence', 'gate', 'ssh']);
  t.is(code, 64);
  t.regex(stderr, /peer add NAME --totp/);
});
