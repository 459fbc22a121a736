import { readFileSync } from 'node:fs';
import test from 'ava';
import { machineOf, tryIt } from './local.ts';

const commands = [
  'init',
  'service add',
  'peer add',
  'peer list',
  'peer show',
  'peer revoke',
  'peer rotate',
  'serve',
  'status',
  'grants',
  'close',
  'ca init',
  'ca issue',
  'ca revoke',
  'ca crl',
  'import',
  'import knockd',
  'import fwknop',
  'profiles',
  'knock',
  'connect',
  'sequence',
  'scheme fixed',
  'scheme dynamic',
  'scheme encrypted',
  'scheme one-time',
  'doctor',
  'completion',
];

for (const command of commands) {
  test.serial(`${command} --help says what it does, with an example`, async (t) => {
    const { code, stdout, stderr } = await tryIt(t, machineOf(t), [
      ...command.split(' '),
      '--help',
    ]);
    t.is(code, 0);
    t.is(stderr, '');
    t.true(stdout.startsWith(`Usage: hknock ${command} `));
    t.regex(stdout, new RegExp(`^Examples?:\\n  .*hknock ${command}`, 'm'));
  });
}

test.serial('--help names every command', async (t) => {
  const { code, stdout } = await tryIt(t, machineOf(t), ['--help']);
  t.is(code, 0);
  for (const command of commands) {
    t.regex(stdout, new RegExp(`^  ${command.split(' ')[0] ?? ''}\\b`, 'm'));
  }
});

test.serial('--version is that of the package', async (t) => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const { code, stdout } = await tryIt(t, machineOf(t), ['--version']);
  t.is(code, 0);
  t.is(stdout, `${manifest.version}\n`);
});
