import { chmodSync, copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { machineOf, tryIt } from './local.ts';

/** Runs `hknock ARGS` with Alice's certificate, which is for tcp/22, tcp/8080 and udp/60001. */
async function asAlice(t: ExecutionContext, ...args: readonly string[]) {
  const machine = machineOf(t);
  for (const name of ['alice.pem', 'alice.key', 'bob.pem']) {
    const fixture = new URL(`../../../fixtures/sknock/${name}`, import.meta.url);
    copyFileSync(fileURLToPath(fixture), machine.path(name));
  }
  chmodSync(machine.path('alice.key'), 0o600);
  const own = ['--cert', machine.path('alice.pem'), '--key', machine.path('alice.key')];
  const [command = '', ...rest] = args;
  const files = [...own, '--server-cert', machine.path('bob.pem')];
  return tryIt(t, machine, [command, ...files, ...rest]);
}

for (const [args, why] of [
  [
    ['knock', '127.0.0.1', 'ssh', '--mode', 'sknock'],
    /name one of: tcp\/22, tcp\/8080, udp\/60001/,
  ],
  [['knock', '127.0.0.1', '--mode', 'sknock'], /several ports/],
  [['knock', '127.0.0.1', 'udp/22', '--mode', 'sknock'], /not for udp\/22/],
  [['knock', '127.0.0.1', 'tcp/22', '--mode', 'sknock', '--source', 'any'], /one address/],
  [['knock', '127.0.0.1', 'tcp/22', '--mode', 'sknock', '--retries', '-1'], /number of times/],
  [['knock', '127.0.0.1', 'tcp/22', '--mode', 'certificate'], /a port, not a service/],
  [['knock', '127.0.0.1', 'ssh', '--mode', 'certificate', '--port', 'random'], /'sknock' only/],
  [['knock', '127.0.0.1', 'udp/60001', '--mode', 'sknock', '--verify'], /no port to connect to/],
  [['connect', '127.0.0.1', 'udp/60001', '--mode', 'sknock'], /no port to connect to/],
  [['connect', '127.0.0.1', 'tcp/22', '--mode', 'sknock', '--', 'true'], /leave the program out/],
] as const) {
  test.serial(`wrong usage: hknock ${args.join(' ')} ends with 64 and says why`, async (t) => {
    const { code, stdout, stderr } = await asAlice(t, ...args);
    t.is(code, 64);
    t.is(stdout, '');
    t.regex(stderr, why);
  });
}

test.serial('without files there is nothing to knock with', async (t) => {
  const argv = ['knock', '127.0.0.1', 'tcp/22', '--mode', 'sknock'];
  const { code, stderr } = await tryIt(t, machineOf(t), argv);
  t.is(code, 64);
  t.regex(stderr, /--mode sknock needs --cert, --key and --server-cert/);
});

test.serial('nobody says that a knock opened anything', async (t) => {
  const argv = ['knock', '127.0.0.1', 'udp/60001', '--mode', 'sknock'];
  const { code, stdout, stderr } = await asAlice(t, ...argv);
  t.is(code, 0);
  t.is(stdout, 'sent to 127.0.0.1 for udp/60001, from 127.0.0.1\n');
  t.regex(stderr, /nobody answers/);
});
