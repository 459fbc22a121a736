import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import type { Machine } from '../../support/machine.ts';
import { furnished, machineOf, tryIt } from './local.ts';

const knockd = `[options]
  logfile = /var/log/knockd.log
[openSSH]
  sequence = 7003,7001:udp,7002
  start_command = /sbin/iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
  cmd_timeout = 5
  stop_command = /sbin/iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
[mail]
  sequence = 7013,7011,7012
  command = /sbin/iptables -A INPUT -s %IP% -p tcp --dport 25 -j ACCEPT
`;

function write(machine: Machine, name: string, text: string): string {
  const path = machine.path(name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test.serial(
  'a knockd.conf becomes schemes; what is lost, and what is left to do, is said',
  async (t) => {
    const { machine } = await furnished(t);
    const file = write(machine, 'knockd.conf', knockd);
    const args = ['import', 'knockd', file, '--peer', 'alice'];
    const { code, stdout, stderr } = await tryIt(t, machine, args);
    t.is(code, 0);
    t.is(stdout, 'openssh\nmail\n');
    t.regex(stderr, /knockd\.conf:2: /);
    t.regex(stderr, /hknock service add tcp-25 tcp\/25/);
    t.regex(stderr, /schemes = \["openssh", "mail"\]/);

    const scheme = machine.path('server/schemes/openssh.toml');
    const knock = ['sequence', '127.0.0.1', '--scheme', scheme, '--print'];
    t.is((await machine.hknock(knock)).stdout, '127.0.0.1 7003:tcp 7001:udp 7002:tcp\n');
    t.is((await tryIt(t, machine, args)).code, 64, 'nothing is overwritten');
  },
);

test.serial('a knockd.conf with no door that can be carried over writes nothing', async (t) => {
  const { machine } = await furnished(t);
  const file = write(machine, 'knockd.conf', '[a]\nsequence = 1,2,3\ncommand = reboot\n');
  const { code, stderr } = await tryIt(t, machine, ['import', 'knockd', file, '--peer', 'alice']);
  t.is(code, 65);
  t.regex(stderr, /knockd\.conf:3: /);
  t.deepEqual(readdirSync(machine.path('server/schemes')), []);
});

const fixed = 'kind = "fixed"\npeer = "a"\nservice = "s"\nopen = ["tcp/3", "tcp/1", "tcp/2"]\n';

for (const [what, args, status] of [
  ['an action that it has no sequence for', ['--action', 'close'], 64],
  ['an address that it cannot tell', ['--address', '192.0.2.7'], 64],
  ['an address that is none', ['--address', '192.0.2'], 64],
  ['a service by name', ['ssh'], 64],
] as const) {
  test.serial(`hknock sequence --scheme with ${what}: ${String(status)}`, async (t) => {
    const machine = machineOf(t);
    const file = write(machine, 'door.toml', fixed);
    const knock = ['sequence', '127.0.0.1', ...args, '--scheme', file, '--print'];
    t.is((await tryIt(t, machine, knock)).code, status);
  });
}

test.serial(
  'a scheme’s file that is not there, wrong, or open to others is no scheme',
  async (t) => {
    const machine = machineOf(t);
    const codeOf = async (file: string): Promise<number | null> =>
      (await tryIt(t, machine, ['sequence', '127.0.0.1', '--scheme', file])).code;
    t.is(await codeOf(machine.path('none.toml')), 65);
    t.is(await codeOf(write(machine, 'bad.toml', 'kind = "fixed"\n')), 65);
    const open = write(machine, 'open.toml', fixed);
    chmodSync(open, 0o644);
    t.is(await codeOf(open), 78);
  },
);

for (const [kind, options, knocks] of [
  ['fixed', ['--service', 'ssh'], 8],
  ['dynamic', [], 16],
  ['encrypted', [], 8],
] as const) {
  test.serial(
    `hknock scheme ${kind} makes a file that a client knocks by, another one each time`,
    async (t) => {
      const { machine } = await furnished(t);
      const texts = new Set<string>();
      for (const name of ['one', 'two']) {
        const out = machine.path(`server/schemes/${name}.toml`);
        await machine.hknock(['scheme', kind, '--peer', 'alice', ...options, '--out', out]);
        texts.add(readFileSync(out, 'utf8'));
        const about = {
          fixed: [],
          dynamic: ['tcp/22'],
          encrypted: ['tcp/22', '--address', '192.0.2.7'],
        }[kind];
        const knock = ['sequence', '127.0.0.1', ...about, '--scheme', out, '--print'];
        const { stdout } = await machine.hknock(knock);
        t.is(stdout.split(' ').length, 1 + knocks);
      }
      t.is(texts.size, 2);
    },
  );
}

test.serial('too few ports make no scheme', async (t) => {
  const machine = machineOf(t);
  for (const [kind, ports, ...options] of [
    ['fixed', '7000-7010', '--service', 'ssh'],
    ['dynamic', '9100-9108'],
    ['encrypted', '9300-9554'],
  ] as const) {
    const out = machine.path('door.toml');
    const args = ['scheme', kind, '--peer', 'alice', '--ports', ports, ...options, '--out', out];
    t.is((await tryIt(t, machine, args)).code, 64);
    t.false(existsSync(out));
  }
});

test.serial('what is for --scheme is refused without it', async (t) => {
  const { machine } = await furnished(t);
  t.is((await tryIt(t, machine, ['sequence', 'gate', 'tcp/22'])).code, 64);
  t.is((await tryIt(t, machine, ['sequence', 'gate', 'ssh', '--action', 'close'])).code, 64);
});
