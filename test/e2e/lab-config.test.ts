// `hknock lab --config`: a server's own folder under attack, as a copy. Networks and attackers: src/lab/network.ts.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { netTest } from '../support/capabilities.ts';
import { here, Machine } from '../support/machine.ts';
import { namespacesOf } from '../support/namespaces-of.ts';
import { cleanUp } from '../support/netns.ts';

/** A machine with a server's folder that has the service `ssh` and the peer `alice`, and with an empty folder for temporary files. */
async function server(t: ExecutionContext): Promise<Machine> {
  const machine = new Machine(here);
  cleanUp(t, () => machine.remove());
  mkdirSync(machine.path('tmp'));
  await machine.hknock(['init']);
  await machine.hknock(['service', 'add', 'ssh', 'tcp/22', '--admission', 'address']);
  const out = ['--host', '192.0.2.9', '--out', machine.path('alice.toml')];
  await machine.hknock(['peer', 'add', 'alice', '--service', 'ssh', ...out]);
  return machine;
}

function lab(machine: Machine, ...options: readonly string[]) {
  const argv = ['lab', '--config', machine.path('server'), ...options];
  const env = { TMPDIR: machine.path('tmp') };
  return machine.hknock(argv, { allowFailure: true, timeoutMs: 120_000, env });
}

/** All that is in a folder, with times and modes. */
function inventory(folder: string): readonly unknown[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { mode, mtimeMs, ctimeMs } = statSync(join(folder, name));
      const isFile = statSync(join(folder, name)).isFile();
      return [name, mode, mtimeMs, ctimeMs, isFile && readFileSync(join(folder, name), 'hex')];
    });
}

async function leavesNothing(t: ExecutionContext, machine: Machine): Promise<void> {
  t.deepEqual(readdirSync(machine.path('tmp')), []);
  t.deepEqual(await namespacesOf(machine), []);
}

netTest(
  'lab: by a grant for the address a neighbour gets into a copy of the configuration; the setting that is named stops him',
  async (t) => {
    const machine = await server(t);
    const before = inventory(machine.path('server'));
    const report = machine.path('report');
    const only = ['--scheme', 'handshake-address', '--attacker', 'nat', '--report', report];
    const { stdout, stderr, code } = await lab(machine, ...only);
    t.is(code, 1, stderr);
    t.regex(stdout, /^ssh for alice: handshake, admission "address"$/m);
    t.regex(stdout, /NAT-knocking: A neighbour behind the client's NAT .* \(3 of 3\)\.$/m);
    const [, line] =
      /What stops it: admission = "port" in \[services\.ssh\], line (\d+)\. Tried: it holds/.exec(
        stdout,
      ) ?? [];
    const config = readFileSync(machine.path('server/hknock.toml'), 'utf8');
    t.is(config.split('\n')[Number(line) - 1], 'admission = "address"');

    const secrets = ['tag', 'secret'].map(
      (key) =>
        new RegExp(`^${key} = "(.*)"$`, 'm').exec(
          readFileSync(machine.path('alice.toml'), 'utf8'),
        )?.[1],
    );
    const written = readdirSync(report).map((name) => readFileSync(join(report, name), 'utf8'));
    t.is(written.length, 2);
    for (const secret of secrets) {
      t.truthy(secret);
      t.false([stdout, stderr, ...written].some((text) => text.includes(secret ?? '')));
    }
    t.deepEqual(inventory(machine.path('server')), before);
    await leavesNothing(t, machine);
  },
);

netTest(
  'lab: a wrong configuration is refused with its line before anything is built',
  async (t) => {
    const machine = await server(t);
    const file = machine.path('server/hknock.toml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('admission = "once"', 'admission = "onc"'));
    const wrong = await lab(machine);
    t.is(wrong.code, 78);
    t.regex(wrong.stderr, /hknock\.toml:\d+: policy\.admission: expected one of/);
    t.is(wrong.stdout, '');

    writeFileSync(file, text);
    const unknown = await lab(machine, '--scheme', 'knockd');
    t.is(unknown.code, 64);
    t.regex(unknown.stderr, /there are: handshake-address, /);
    await leavesNothing(t, machine);
  },
);
