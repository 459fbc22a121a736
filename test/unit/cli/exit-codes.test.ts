import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { furnished, machineOf, tryIt } from './local.ts';

for (const args of [
  ['nonsense'],
  ['--nonsense'],
  ['init', '--listen', 'everywhere'],
  ['init', '--dir', ''],
  ['service', 'add', 'Not A Name', 'tcp/22'],
  ['service', 'add', 'ssh', 'tcp/99999'],
  ['service', 'add', 'ssh', 'tcp/22', '--ttl', '30'],
  ['peer', 'add', 'alice'],
  ['peer', 'add', '../alice', '--service', 'ssh'],
  ['serve', '--firewall', 'magic'],
  ['knock'],
  ['knock', 'gate', 'SSH'],
  ['knock', 'gate', '--admission', 'free'],
  ['knock', 'gate', '--expect', '203.0.113.7/24'],
  ['close'],
  ['close', '0123456789abcdef', '--peer', 'alice'],
  ['completion', 'tcsh'],
]) {
  test.serial(
    `wrong usage: hknock ${args.join(' ')} ends with 64 and says why on standard error`,
    async (t) => {
      const { code, stdout, stderr } = await tryIt(t, machineOf(t), args);
      t.is(code, 64);
      t.is(stdout, '');
      t.not(stderr, '');
    },
  );
}

test.serial('bad data: a file that is no profile ends with 65', async (t) => {
  const machine = machineOf(t);
  const path = machine.path('garbage');
  writeFileSync(path, 'garbage', { mode: 0o600 });
  t.is((await tryIt(t, machine, ['import', path])).code, 65);
  t.is((await tryIt(t, machine, ['import', machine.path('nowhere')])).code, 65);
  t.is((await tryIt(t, machine, ['import', 'hknock://garbage'])).code, 65);
  t.is((await tryIt(t, machine, ['import', '-'], { input: 'garbage' })).code, 65);
});

test.serial('nobody there: status and close without a server end with 69', async (t) => {
  const { machine } = await furnished(t);
  t.is((await tryIt(t, machine, ['status'])).code, 69);
  t.is((await tryIt(t, machine, ['close', '--peer', 'alice'])).code, 69);
});

test.serial('nobody answers a knock: 69, and as JSON', async (t) => {
  const { machine } = await furnished(t);
  const { code, stdout } = await tryIt(t, machine, ['knock', 'gate', 'ssh', '--json']);
  t.is(code, 69);
  t.deepEqual(JSON.parse(stdout), { granted: false, reason: 'no-answer' });
});

test.serial('no configuration: 78, and which command makes one', async (t) => {
  const machine = machineOf(t);
  for (const command of [
    ['serve'],
    ['status'],
    ['peer', 'list'],
    ['service', 'add', 'a', 'tcp/1'],
  ]) {
    const { code, stderr } = await tryIt(t, machine, command);
    t.is(code, 78, command.join(' '));
    t.regex(stderr, /hknock init|mkdir/);
  }
  t.is((await tryIt(t, machine, ['knock', 'gate'])).code, 78);
});

for (const file of ['responder.key', 'peers/alice.toml']) {
  test.serial(`a secret that others can read is refused: ${file} with 78`, async (t) => {
    const { machine } = await furnished(t);
    chmodSync(machine.path(`server/${file}`), 0o640);
    const { code, stderr } = await tryIt(t, machine, ['serve', '--firewall', 'none']);
    t.is(code, 78);
    t.regex(stderr, /chmod 600/);
  });
}

test.serial('a configuration that others can write is refused with 78', async (t) => {
  const { machine } = await furnished(t);
  chmodSync(machine.path('server/hknock.toml'), 0o666);
  t.is((await tryIt(t, machine, ['serve', '--firewall', 'none'])).code, 78);
});

test.serial('profiles that others can read are refused with 78', async (t) => {
  const { machine } = await furnished(t);
  chmodSync(machine.path('config/hknock/config.json'), 0o644);
  t.is((await tryIt(t, machine, ['profiles'])).code, 78);
  t.is((await tryIt(t, machine, ['knock', 'gate', 'ssh'])).code, 78);
});

test.serial(
  'a wrong configuration: file, line, key and what was expected, with 78, and nothing is begun',
  async (t) => {
    const { machine, folder } = await furnished(t);
    await folder.edit(/ttl = "30s"/, 'ttl = "soon"');
    const path = machine.path('server/hknock.toml');
    const lines = readFileSync(path, 'utf8').split('\n');
    const line = lines.findIndex((each) => each.includes('"soon"')) + 1;
    const { code, stderr, stdout } = await tryIt(t, machine, ['serve', '--firewall', 'none']);
    t.is(code, 78);
    t.is(stdout, '');
    t.true(stderr.includes(`${path}:${String(line)}: policy.ttl: expected `), stderr);
    t.false(existsSync(machine.path('server/control.sock')));
  },
);
