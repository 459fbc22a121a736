import { once } from 'node:events';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Machine } from '../../support/machine.ts';
import { heard } from '../client/heard.ts';
import { Folder } from '../server/folder.ts';
import { keep, machineOf, serveTcp, tryIt } from './local.ts';

/** A running server whose service `echo` is a TCP server of the test's, and the profile `gate` for it. */
async function withService(t: ExecutionContext, serve: (socket: Socket) => void): Promise<Machine> {
  const machine = machineOf(t);
  const folder = await Folder.create(t, machine.path('server'));
  await folder.addService('echo', `tcp/${String(await serveTcp(t, serve))}`);
  await keep(machine, await folder.addPeer('alice', { services: ['echo'] }), 'gate');
  await machine.serve('--firewall', 'none');
  return machine;
}

const idle = (socket: Socket): void => void socket.resume().end();

function start(machine: Machine, ...args: readonly string[]) {
  const child = machine.start(machine.argv('connect', 'gate', ...args));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, stdin, stdout, exit };
}

test.serial(
  'connect joins standard input and output to the service, and says nothing else',
  async (t) => {
    // answers only when it has heard the end: without half-close it would never
    const machine = await withService(t, (socket) => {
      void heard(socket).then((all) => socket.end(all.reverse()));
    });
    const { stdin, stdout, exit } = start(machine);
    stdin.end('live');
    t.is((await heard(stdout)).toString(), 'evil');
    t.is(await exit, 0);
  },
);

test.serial('connect ends when the service has said all', async (t) => {
  const machine = await withService(t, (socket) => {
    socket.resume().end('bye');
  });
  const { stdin, stdout, exit } = start(machine, 'echo');
  t.is((await heard(stdout)).toString(), 'bye');
  stdin.end();
  t.is(await exit, 0);
});

for (const [command, expected] of [
  [['true'], 0],
  [['sh', '-c', 'exit 3'], 3],
  [['sh', '-c', 'kill -TERM $$'], 143],
] as const) {
  test.serial(`connect -- ${command.join(' ')} ends with ${String(expected)}`, async (t) => {
    const machine = await withService(t, idle);
    const { code } = await tryIt(t, machine, ['connect', 'gate', 'echo', '--', ...command]);
    t.is(code, expected);
  });
}

test.serial('what is behind -- is never taken for the service', async (t) => {
  const machine = await withService(t, idle);
  const { stdout } = await machine.hknock(['connect', 'gate', '--', 'echo', 'hello']);
  t.is(stdout, 'hello\n');
  for (const wrong of [['echo', 'cat'], ['--json'], ['/bin/cat']])
    t.is((await tryIt(t, machine, ['connect', 'gate', ...wrong])).code, 64, wrong.join(' '));
});

test.serial('a local port leads through the gate, and is for no other admission', async (t) => {
  const machine = await withService(t, idle);
  const listen = ['connect', 'gate', 'echo', '--listen', '127.0.0.1:5353'];
  t.is((await tryIt(t, machine, [...listen, '--admission', 'gate,once'])).code, 64);
  t.is((await tryIt(t, machine, listen)).code, 77, 'this server has no gate');
});

test.serial(
  'a command has our standard streams to itself, and its options are its own',
  async (t) => {
    const machine = await withService(t, idle);
    const args = ['connect', 'gate', 'echo', '--', 'cat', '-E', '-'];
    const { stdout } = await machine.hknock(args, { input: 'hello\n' });
    t.is(stdout, 'hello$\n');
  },
);

test.serial('SIGTERM reaches the command, and its end is ours', async (t) => {
  const machine = await withService(t, idle);
  const script = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done';
  const { child, stdout, exit } = start(machine, 'echo', '--', 'sh', '-c', script);
  await once(stdout, 'data');
  child.kill('SIGTERM');
  t.is(await exit, 7);
});

test.serial('a command that is not there is wrong usage', async (t) => {
  const machine = await withService(t, idle);
  const { code } = await tryIt(t, machine, ['connect', 'gate', 'echo', '--', 'no-such-program']);
  t.is(code, 64);
});

test.serial('granted, but nobody serves it: 69, and the message says which', async (t) => {
  const machine = machineOf(t);
  const folder = await Folder.create(t, machine.path('server'));
  await folder.addService('gone', 'tcp/1');
  await keep(machine, await folder.addPeer('alice', { services: ['gone'] }), 'gate');
  await machine.serve('--firewall', 'none');
  const { code, stdout, stderr } = await tryIt(t, machine, ['connect', 'gate']);
  t.is(code, 69);
  t.is(stdout, '');
  t.regex(stderr, /granted, but/);
});

test.serial('refused: 77, and nothing is connected or run', async (t) => {
  const machine = await withService(t, () => {
    t.fail('somebody connected');
  });
  const args = ['connect', 'gate', 'echo', '--admission', 'address'];
  t.is((await tryIt(t, machine, args)).code, 77);
  const { code, stdout } = await tryIt(t, machine, [...args, '--', 'echo', 'ran']);
  t.is(code, 77);
  t.is(stdout, '');
});
