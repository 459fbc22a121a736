import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { netTestWith } from '../support/capabilities.ts';
import { ask, deploy, enrol } from '../support/deployment.ts';
import { withGate } from '../support/gate.ts';
import type { Machine } from '../support/machine.ts';
import { here } from '../support/machine.ts';
import { type Finished, until } from '../support/netns.ts';

const sshTest = netTestWith('ssh', 'sshd', 'ssh-keygen');

/** Starts OpenSSH's server with keys of its own, and gives the client's key to whoever is to get in. */
async function startSshd(server: Machine, guests: readonly Machine[]): Promise<void> {
  const folder = server.path('sshd');
  mkdirSync(folder);
  const newKey = (name: string) =>
    here.exec(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/${name}`]);
  await Promise.all([newKey('host'), newKey('guest')]);
  const config = [
    'Port 22',
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/guest.pub`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'UseDNS no',
  ];
  writeFileSync(`${folder}/config`, config.join('\n'));
  for (const guest of guests) {
    writeFileSync(guest.path('key'), readFileSync(`${folder}/guest`), { mode: 0o600 });
    writeFileSync(guest.path('known'), `gate ${readFileSync(`${folder}/host.pub`, 'utf8')}`);
  }
  // its folder for privilege separation, in a mount namespace that ends with it
  const prepare = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$0" -D -e -f "$1"';
  const sshd = ['unshare', '-m', 'sh', '-c', prepare, '/usr/sbin/sshd', `${folder}/config`];
  server.start(sshd, { stdio: 'ignore' });
  const isListening = async () =>
    (await server.place.exec(['ss', '-Hltn', 'sport', '=', ':22'])).stdout !== '';
  await until(isListening, 'sshd to listen', 10_000);
}

interface SshOptions {
  /** Where a shell leads its input and output. */
  readonly around?: string;
  /** What `hknock connect` is told beside host and service. */
  readonly how?: string;
}

/** `ssh root@gate COMMAND` */
function ssh(
  machine: Machine,
  command: string,
  { around = '', how = '' }: SshOptions = {},
): Promise<Finished> {
  const proxy = `ProxyCommand=${machine.argv().join(' ')} connect %h ssh ${how}`;
  const options = ['BatchMode=yes', `UserKnownHostsFile=${machine.path('known')}`, proxy];
  const argv = ['-F', 'none', '-i', machine.path('key'), ...options.flatMap((o) => ['-o', o])];
  const run = ['sh', '-c', `ssh "$@" ${around}`, 'sh', ...argv, 'root@gate', command];
  return machine.run(run, { allowFailure: true, timeoutMs: 60_000 });
}

const withSsh = (text: string): string => `${text}\n[services.ssh]\nports = ["tcp/22"]\n`;

/** Sends 20 MB each way, and looks whether they arrive as they were. */
async function bothWays(t: ExecutionContext, client: Machine): Promise<void> {
  const data = randomBytes(20_000_000);
  const sum = createHash('sha256').update(data).digest('hex');
  writeFileSync(client.path('data'), data);
  const up = await ssh(client, 'sha256sum', { around: '< "$HOME/data"' });
  t.is(up.stdout.slice(0, 64), sum, up.stderr);
  const down = await ssh(client, `cat ${client.path('data')}`, { around: '| sha256sum' });
  t.is(down.stdout.slice(0, 64), sum, down.stderr);
}

sshTest(
  'OpenSSH gets in by ProxyCommand: output, exit code, 20 MB each way; by port and bound as well',
  async (t) => {
    const { server, client } = await deploy(t, { services: 'web,ssh', configure: withSsh });
    await startSshd(server, [client]);
    t.like(await ssh(client, 'echo out; echo err >&2; exit 7'), {
      stdout: 'out\n',
      stderr: 'err\n',
      code: 7,
    });
    for (const admission of ['port', 'bound']) {
      const how = `--admission ${admission}`;
      t.like(
        await ssh(client, 'echo out; exit 7', { how }),
        { stdout: 'out\n', code: 7 },
        admission,
      );
    }
    await bothWays(t, client);
  },
);

sshTest('OpenSSH gets in through the gate: 20 MB each way', async (t) => {
  const { server, client } = await deploy(t, {
    services: 'web,ssh',
    configure: (text) => withGate(`${withSsh(text)}admission = "gate"\n`),
  });
  await startSshd(server, [client]);
  t.like(await ssh(client, 'echo out; exit 7'), { stdout: 'out\n', code: 7 });
  await bothWays(t, client);
  t.like(await ask(server, 'status'), { gate: { admitted: 3 } });
});

sshTest('several at once from two peers behind one NAT all get in', async (t) => {
  const { server, client, neighbour } = await deploy(t, {
    services: 'web,ssh',
    configure: withSsh,
  });
  await enrol(server, neighbour, { peer: 'bob', services: 'ssh' });
  await startSshd(server, [client, neighbour]);
  const guests = [client, neighbour, client, neighbour, client, neighbour];
  const said = await Promise.all(guests.map((guest, i) => ssh(guest, `echo ${String(i)}`)));
  t.deepEqual(
    said.map(({ stdout, code }) => [stdout, code]),
    guests.map((_, i) => [`${String(i)}\n`, 0]),
    said.map(({ stderr }) => stderr).join(''),
  );
});
