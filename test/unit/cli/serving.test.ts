import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { PeerStore } from '../../../src/store/peer-store.ts';
import { bindDatagramSocket } from '../../../src/dgram-ext/bind.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { Daemon, type Machine } from '../../support/machine.ts';
import { cleanUp, until } from '../../support/netns.ts';
import { address } from '../grants/plans.ts';
import { knockFor, outcomeOf } from '../server/running.ts';
import { furnished, tryIt } from './local.ts';

async function serving(t: ExecutionContext, services?: readonly string[]) {
  const home = await furnished(t, services);
  return { ...home, daemon: await home.machine.serve('--firewall', 'none') };
}

async function jsonOf<T>(machine: Machine, ...args: readonly string[]): Promise<T> {
  return JSON.parse((await machine.hknock([...args, '--json'])).stdout) as T;
}

const grantsOf = (machine: Machine): Promise<Record<string, unknown>[]> =>
  jsonOf(machine, 'grants');

test.serial('knock --json has the fields that the contract names', async (t) => {
  const { machine } = await serving(t);
  const knocked = await jsonOf<Record<string, unknown>>(machine, 'knock', 'gate', 'web');
  const { observedPort, expiresAt, elapsedMs, grant, ...fixed } = knocked;
  t.deepEqual(fixed, {
    granted: true,
    host: 'gate',
    service: 'web',
    protocol: 'tcp',
    port: 80,
    ports: ['tcp/80', 'tcp/443'],
    server: '127.0.0.1',
    observedAddress: '127.0.0.1',
    claimedAddress: '127.0.0.1',
    behindNat: false,
    admission: 'once',
    mode: 'challenge-response',
  });
  t.true(Number(observedPort) > 0 && Number(elapsedMs) > 0);
  t.regex(String(grant), /^[0-9a-f]{16}$/);
  const expires = String(expiresAt);
  t.is(new Date(expires).toISOString(), expires, 'RFC 3339');
});

test.serial('a refusal ends with 77 and its reason, also as JSON', async (t) => {
  const { machine } = await serving(t);
  const args = ['knock', 'gate', 'ssh', '--admission', 'address'];
  const { code, stdout, stderr } = await tryIt(t, machine, args);
  t.is(code, 77);
  t.is(stdout, '');
  t.regex(stderr, /admission-refused[^]*once/);
  const asJson = await tryIt(t, machine, [...args, '--json']);
  t.is(asJson.code, 77);
  t.deepEqual(JSON.parse(asJson.stdout), {
    granted: false,
    reason: 'admission-refused',
    acceptable: ['once'],
  });
});

test.serial('status and grants tell what the server does; close ends a grant', async (t) => {
  const { machine } = await serving(t);
  const { grant } = await jsonOf<{ grant: string }>(machine, 'knock', 'gate', 'ssh');
  t.like(await jsonOf(machine, 'status'), { firewall: 'none', peers: 1, services: 2, grants: 1 });
  const [live] = await grantsOf(machine);
  t.like(live, {
    id: grant,
    peer: 'alice',
    service: 'ssh',
    source: '127.0.0.1',
    admission: 'once',
  });
  t.regex((await machine.hknock(['grants'])).stdout, new RegExp(`^${grant} +alice +ssh +127`, 'm'));
  t.regex((await machine.hknock(['status'])).stdout, /^grants +1$/m);
  t.is((await machine.hknock(['close', grant])).code, 0);
  t.deepEqual(await grantsOf(machine), []);
  t.is((await tryIt(t, machine, ['close', grant])).code, 65);
});

test.serial('close --peer ends all grants of a peer', async (t) => {
  const { machine } = await serving(t);
  await machine.hknock(['knock', 'gate', 'ssh']);
  await machine.hknock(['knock', 'gate', 'web']);
  t.is((await grantsOf(machine)).length, 2);
  await machine.hknock(['close', '--peer', 'alice']);
  t.deepEqual(await grantsOf(machine), []);
});

test.serial('revoke and rotate act on the running server at once', async (t) => {
  const { machine, profile } = await serving(t);
  await machine.hknock(['knock', 'gate', 'ssh']);
  const out = machine.path('new.toml');
  await machine.hknock(['peer', 'rotate', 'alice', '--host', '127.0.0.1', '--out', out]);
  t.deepEqual(await grantsOf(machine), []);
  t.is(await outcomeOf(profile), 'no-answer');
  t.is((await tryIt(t, machine, ['knock', '127.0.0.1', 'ssh', '--profile', out])).code, 0);
  await machine.hknock(['peer', 'revoke', 'alice']);
  t.deepEqual(await grantsOf(machine), []);
  t.like(await jsonOf(machine, 'status'), { peers: 0 });
});

test.serial(
  'revoke reaches the running server though its configuration has become wrong',
  async (t) => {
    const { machine, folder, profile } = await serving(t);
    await machine.hknock(['knock', 'gate', 'ssh']);
    await folder.edit(/ttl = "30s"/, 'ttl = "soon"');
    const { code, stderr } = await tryIt(t, machine, ['peer', 'revoke', 'alice']);
    t.is(code, 78, 'the rest of the folder was not taken over');
    t.regex(stderr, /hknock\.toml:\d+: policy\.ttl/);
    t.deepEqual(await grantsOf(machine), []);
    t.is(await outcomeOf(profile), 'no-answer');
  },
);

test.serial('a new peer and a new service count on the running server at once', async (t) => {
  const { machine } = await serving(t);
  await machine.hknock(['service', 'add', 'dns', 'udp/53']);
  const out = machine.path('bob.toml');
  const options = ['--service', 'dns', '--host', '127.0.0.1', '--out', out];
  await machine.hknock(['peer', 'add', 'bob', ...options]);
  t.is((await tryIt(t, machine, ['knock', '127.0.0.1', 'dns', '--profile', out])).code, 0);
});

test.serial('SIGHUP reads the folder again', async (t) => {
  const { machine, daemon, folder, profile } = await serving(t);
  await machine.hknock(['knock', 'gate', 'ssh']);
  await new PeerStore(folder.path).revoke(profile.peer);
  daemon.child.kill('SIGHUP');
  await until(() => daemon.log.includes(' reloaded '), 'the server to reload');
  t.deepEqual(await grantsOf(machine), []);
  t.is(await outcomeOf(profile), 'no-answer');
});

test.serial(
  'SIGHUP with a wrong configuration is logged, and the server goes on as before',
  async (t) => {
    const { machine, daemon, folder, profile } = await serving(t);
    await folder.edit(/ttl = "30s"/, 'ttl = "soon"');
    daemon.child.kill('SIGHUP');
    await until(() => daemon.log.includes(' error reload'), 'the server to complain');
    await daemon.writes(/hknock\.toml:\d+: policy\.ttl/);
    t.like(await knockFor(profile), { granted: true });
    await folder.edit(/ttl = "soon"/, 'ttl = "30s"');
    t.is((await machine.hknock(['status'])).code, 0);
  },
);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test.serial(`${signal} ends the server in good order`, async (t) => {
    const { machine, daemon } = await serving(t);
    await daemon.end(signal);
    t.is(daemon.child.exitCode, 0);
    t.false(existsSync(machine.path('server/control.sock')));
    t.is((await tryIt(t, machine, ['status'])).code, 69);
  });
}

test.serial('signals while it starts or stops are kept until it can follow them', async (t) => {
  const { machine, folder } = await furnished(t);
  const socketIsThere = new Promise<void>((resolve) => {
    const watcher = watch(folder.path, (_, name) => {
      if (name === 'control.sock') resolve();
    });
    cleanUp(t, () => {
      watcher.close();
    });
  });
  const argv = machine.argv('serve', '--firewall', 'none');
  const daemon = new Daemon(machine.start(argv, { stdio: ['ignore', 'pipe', 'pipe'] }));
  await socketIsThere;
  t.false(daemon.log.includes(' serving '), 'it has only begun');
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGTERM', 'SIGINT'] as const)
    daemon.child.kill(signal);
  await until(() => daemon.hasEnded, 'the server to end');
  t.is(daemon.child.exitCode, 0, daemon.log);
  t.regex(daemon.log, / serving [^]* stopped/);
});

test.serial('a killed server does not keep the next one from starting', async (t) => {
  const { machine, daemon, profile } = await serving(t);
  await daemon.end('SIGKILL');
  t.true(existsSync(machine.path('server/control.sock')));
  await machine.serve('--firewall', 'none');
  t.like(await knockFor(profile), { granted: true });
});

test.serial('a second server from the same folder is refused, and the first goes on', async (t) => {
  const { machine, profile } = await serving(t);
  t.is((await tryIt(t, machine, ['serve', '--firewall', 'none'])).code, 69);
  t.like(await knockFor(profile), { granted: true });
});

test.serial('a UDP port that is taken is named, with a way out', async (t) => {
  const { machine, profile } = await furnished(t);
  const endpoint = { address: address('127.0.0.1'), port: profile.port };
  const other = await bindDatagramSocket({ addresses: [endpoint], clock: new FakeClock() });
  t.teardown(() => other.close());
  const { code, stderr } = await tryIt(t, machine, ['serve', '--firewall', 'none']);
  t.is(code, 69);
  t.true(stderr.includes(`127.0.0.1:${String(profile.port)}`), stderr);
  t.regex(stderr, /ss -ulnp/);
  t.false(existsSync(machine.path('server/control.sock')));
});

test.serial('the server outlives whoever read its log', async (t) => {
  const { machine, profile, daemon } = await serving(t);
  daemon.child.stdout?.destroy();
  daemon.child.stderr?.destroy();
  for (let i = 0; i < 3; i++) t.like(await knockFor(profile), { granted: true });
  t.is((await grantsOf(machine)).length, 3);
});

test.serial('the log has a line an event and no secrets', async (t) => {
  const { daemon, machine, profile } = await serving(t);
  await machine.hknock(['knock', 'gate', 'ssh']);
  await until(() => daemon.log.includes(' granted '), 'the knock to be logged');
  const line = daemon.log.split('\n').find((each) => each.includes(' granted '));
  t.regex(
    line ?? '',
    /^\S+Z info granted grant=[0-9a-f]{16} peer=alice service=ssh source=127\.0\.0\.1 /,
  );
  const secret = Buffer.from(profile.secret);
  for (const coding of ['hex', 'base64', 'base64url'] as const) {
    t.false(daemon.log.includes(secret.toString(coding)));
  }
});

test.serial('a change without a server counts from the next start, and is said to', async (t) => {
  const { machine } = await furnished(t);
  const { code, stderr } = await tryIt(t, machine, ['peer', 'revoke', 'alice']);
  t.is(code, 0);
  t.true(stderr.includes(machine.path('server/control.sock')), stderr);
});

test.serial('a server that cannot be told of a change is no success', async (t) => {
  const { machine } = await furnished(t);
  const server = createServer((socket) => socket.destroy());
  server.listen(machine.path('server/control.sock'));
  cleanUp(t, () => void server.close());
  await once(server, 'listening');
  t.is((await tryIt(t, machine, ['peer', 'revoke', 'alice'])).code, 69);
});
