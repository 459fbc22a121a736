import { writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { isInstalled } from '../../support/programs.ts';
import { furnished, machineOf, tryIt } from './local.ts';
import type { Machine } from '../../support/machine.ts';

/** What bash offers for the last of some words, `hknock` being a function that runs the built one. */
async function offered(machine: Machine, ...words: readonly string[]): Promise<readonly string[]> {
  const quoted = words.map((each) => `'${each}'`).join(' ');
  const script = `
    hknock() { "$NODE" "$MAIN" "$@"; }
    source <(hknock completion bash)
    COMP_WORDS=(hknock ${quoted}); COMP_CWORD=${String(words.length)}
    _hknock
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const [node = '', main = ''] = machine.argv();
  const { stdout } = await machine.run(['bash', '-u', '-c', script], {
    env: { NODE: node, MAIN: main },
  });
  return stdout.trim().split('\n');
}

const withBash = isInstalled('bash') ? test.serial : test.serial.skip;

for (const [words, expected] of [
  [['pe'], ['peer']],
  [
    ['peer', 'r'],
    ['rotate', 'revoke'],
  ],
  [
    ['serve', '--firewall', 'n'],
    ['nftables', 'none'],
  ],
  [
    ['serve', '--firewall', '=', 'n'],
    ['nftables', 'none'],
  ],
  [['peer', 'add', 'alice', '--se'], ['--service']],
  [['knock', '--admission', 'once', '--pro'], ['--profile']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  // past the arguments that have known words, and behind --, the shell's own completion takes over
  [['knock', 'gate', ''], ['']],
  [['connect', 'gate', 'ssh', '--', '--'], ['']],
  [['init', '--dir', ''], ['']],
] as const) {
  withBash(`bash completes hknock ${words.join(' ')}`, async (t) => {
    t.deepEqual(await offered(machineOf(t), ...words), expected);
  });
}

withBash('bash completes every command', async (t) => {
  const words = await offered(machineOf(t), '');
  for (const each of ['init', 'knock', 'connect', 'doctor', 'help']) t.true(words.includes(each));
});

withBash('bash completes the profiles that are kept here', async (t) => {
  const { machine } = await furnished(t);
  t.deepEqual(await offered(machine, 'knock', ''), ['gate']);
  t.deepEqual(await offered(machine, 'knock', '--profile', 'g'), ['gate']);
  t.deepEqual(await offered(machine, 'connect', '--admission', 'once', ''), ['gate']);
});

/** Whether a shell takes the script that is printed for it. */
async function parses(t: ExecutionContext, shell: string): Promise<void> {
  const machine = machineOf(t);
  const file = machine.path('completion');
  writeFileSync(file, (await tryIt(t, machine, ['completion', shell])).stdout);
  t.is((await machine.run([shell, '-n', file])).stderr, '');
}

for (const shell of ['bash', 'zsh', 'fish']) {
  const available = isInstalled(shell) ? test.serial : test.serial.skip;
  available(`${shell} takes its script`, (t) => parses(t, shell));
}
