import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { netTestWith } from '../support/capabilities.ts';
import { ask, deploy, type Deployment, servicePort } from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import type { Daemon, Machine } from '../support/machine.ts';
import { cleanUp, until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };
const test = netTestWith('tcpdump', 'knock').serial;

interface Status {
  readonly modes: { readonly sequence: Readonly<Record<string, number>> };
}

/** hknock with sequence mode on. */
const deployed = forFile((owner) =>
  deploy(owner, { configure: (text) => text.replace('schemes = []', 'schemes = ["totp"]') }),
);

let usual: string | null = null;
let latest: Daemon | null = null;

/**
 * The server as it runs, or started again where it has ended or is to have another configuration; and a new peer that may use the mode,
 * since each of its steps opens once. The client calls his profile `gate`.
 */
async function serving(
  peer: string,
  configure: (text: string) => string = (text) => text,
): Promise<Deployment> {
  const deployment = await deployed();
  const { server, client } = deployment;
  const path = server.path('server/hknock.toml');
  latest ??= deployment.daemon;
  const now = readFileSync(path, 'utf8');
  usual ??= now;
  const wanted = configure(usual);
  if (latest.hasEnded || now !== wanted) {
    await latest.end();
    writeFileSync(path, wanted);
    latest = await server.serve();
  }
  await addPeer(server, client, peer);
  return { ...deployment, daemon: latest };
}

/** Makes a peer that knocks by sequences, and hands its profile to a machine. */
async function addPeer(server: Machine, machine: Machine, peer: string): Promise<void> {
  const profile = server.path(`${peer}.toml`);
  await server.hknock(['peer', 'add', peer, '--service', 'web', '--totp', '--out', profile]);
  await machine.hknock(['import', profile, '--name', 'gate', '--replace']);
}

async function countersOf(server: Machine): Promise<Readonly<Record<string, number>>> {
  return ((await ask(server, 'status')) as Status).modes.sequence;
}

/** Waits until a counter of the mode has reached a number. */
async function reaches(server: Machine, counter: string, count: number): Promise<void> {
  await until(
    async () => {
      const counters = await countersOf(server);
      return (counters[counter] ?? -1) >= count;
    },
    `${counter} to be ${String(count)}`,
    30_000,
  );
}

/** What `--print` says for Debian's knock. */
async function printed(machine: Machine): Promise<readonly string[]> {
  const { stdout } = await machine.hknock(['sequence', 'gate', 'web', '--print']);
  return stdout.trim().split(' ');
}

test('behind a NAT: hknock’s own client, and Debian’s knock with what it prints', async (t) => {
  const { server, client, neighbour, daemon } = await serving('sam');
  t.is(await visit(client, target), 'no answer');
  const { stdout } = await client.hknock(['sequence', 'gate', 'web']);
  t.is(stdout, '');
  await reaches(server, 'granted', 1);
  t.is(await visit(client, target), welcome);
  t.is(await visit(neighbour, target), 'no answer', 'the grant was for one connection');

  await addPeer(server, client, 'kim');
  await client.run(['knock', ...(await printed(client))]);
  await reaches(server, 'granted', 2);
  t.is(await visit(client, target), welcome);

  t.notRegex(daemon.log, /little room/);
  const { stdout: told } = await server.hknock(['doctor'], { allowFailure: true });
  t.regex(told, /^ok +tcpdump is there[^]*^ok +the server listens to log group 6220/m);
  t.regex(told, /clock/);
});

test('watched ports are watched again when somebody has flushed all rules', async (t) => {
  const { server, client, daemon } = await serving('flo');
  const { granted = 0 } = await countersOf(server);
  await server.place.exec(['nft', 'flush', 'ruleset']);
  await until(() => daemon.log.includes('watched ports was gone'), 'the table to be back', 10_000);
  await client.hknock(['sequence', 'gate', 'web']);
  await reaches(server, 'granted', granted + 1);
  t.is(await visit(client, target), welcome);
});

test('a step opens once, also when the server was started again in between', async (t) => {
  const { server, client, daemon } = await serving('ann');
  const before = await countersOf(server);
  const knocks = await printed(client);
  await client.run(['knock', ...knocks]);
  await reaches(server, 'granted', (before['granted'] ?? 0) + 1);
  t.is(await visit(client, target), welcome);
  await client.run(['knock', ...knocks]);
  await reaches(server, 'used', (before['used'] ?? 0) + 1);

  await daemon.end();
  latest = await server.serve();
  await client.run(['knock', ...knocks]);
  await reaches(server, 'used', 1);
  t.is((await countersOf(server))['granted'], 0);
  t.is(await visit(client, target), 'no answer');
});

test('watched ports stay shut, whatever listens there, and are as before when the server ends', async (t) => {
  const { server, client, daemon } = await serving('nick');
  await startService(server, 20_001);
  const watched = { address: addresses.server, port: 20_001 };
  t.is(await visit(client, watched), 'no answer');
  await daemon.end();
  t.is(await visit(client, watched), welcome);
  const { stdout } = await server.place.exec(['nft', 'list', 'tables']);
  t.notRegex(stdout, /hknock/);
});

test('a capture that dies is started again, and says so; one that a killed server left behind gives way', async (t) => {
  const { server, client, daemon } = await serving('dora');
  await server.place.exec([
    'sh',
    '-c',
    'kill -9 $(ip netns pids $(ip netns identify) | xargs -I{} sh -c "grep -l ^tcpdump /proc/{}/comm 2>/dev/null" | cut -d/ -f3)',
  ]);
  await until(() => daemon.log.includes('capture ended'), 'the end of the capture to be told');
  await reaches(server, 'restarts', 1);
  await until(async () => {
    await client.hknock(['sequence', 'gate', 'web']);
    return ((await countersOf(server))['granted'] ?? 0) > 0;
  }, 'the capture to run again');
  t.is(await visit(client, target), welcome);

  await daemon.end('SIGKILL');
  latest = await server.serve();
  await addPeer(server, client, 'dean');
  await client.hknock(['sequence', 'gate', 'web']);
  await reaches(server, 'granted', 1);
  t.is(await visit(client, target), welcome);
});

test('a revoked peer’s sequence opens nothing, though the configuration is broken meanwhile', async (t) => {
  const { server, client, daemon } = await serving('rita');
  await server.place.exec(['sh', '-c', `echo broken >> ${server.path('server/hknock.toml')}`]);
  await server.hknock(['peer', 'revoke', 'rita'], { allowFailure: true });
  daemon.child.kill('SIGHUP');
  await until(() => daemon.log.includes('only revocations count'), 'the reload to be told');
  await client.hknock(['sequence', 'gate', 'web']);
  await until(() => daemon.log.includes('service-refused'), 'the refusal to be told');
  t.is(await visit(client, target), 'no answer');
});

test('over IPv6 with UDP, in any order, while a neighbour scans', async (t) => {
  const { server, client, neighbour } = await serving('udo', (text) =>
    text
      .replace(/^public_hosts = .*$/m, `public_hosts = ["${addresses.server6}"]`)
      .replace('protocol = "tcp"', 'protocol = "udp"'),
  );
  const scan = Array.from({ length: 400 }, (_, n) => `${String(20_000 + n)}:udp`);
  await neighbour.run(['knock', '-6', addresses.server6, ...scan]);
  await reaches(server, 'exhausted', 1);
  await reaches(server, 'over source rate', 1);
  const [address = '', ...knocks] = await printed(client);
  await client.run(['knock', address, ...knocks.reverse()]);
  await reaches(server, 'granted', 1);
  t.is(await visit(client, { address: addresses.server6, port: servicePort }), welcome);
});

test('from the kernel’s own log, into which no program can write a knock', async (t) => {
  logFromNamespaces(t);
  const { server, client } = await serving('ken', (text) =>
    text
      .replace('source = "nflog"', 'source = "log"')
      .replace('log_file = "/var/log/kern.log"', 'log_file = "/dev/kmsg"')
      .replace('log_prefix = "hknock: "', 'log_prefix = "our knock: "'),
  );
  const rule = 'tcp dport 20000-32767 log prefix "our knock: " drop';
  const input = `table inet operator { chain input { type filter hook input priority 0; ${rule}; }; }`;
  await server.place.exec(['nft', '-f', '-'], { input });

  for (const knock of (await printed(client)).slice(1)) {
    const [port = ''] = knock.split(':');
    writeFileSync('/dev/kmsg', `<4>${forged(port)}\n`);
  }
  t.is(await visit(client, target), 'no answer');
  t.is((await countersOf(server))['granted'], 0);
  await client.hknock(['sequence', 'gate', 'web']);
  await reaches(server, 'granted', 1);
  t.is(await visit(client, target), welcome);
});

/** What the kernel would say of a SYN from the client, but for its facility. */
function forged(port: string): string {
  return `our knock: IN=eth0 OUT= SRC=${addresses.public} DST=${addresses.server} LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=40000 DPT=${port} WINDOW=64240 RES=0x00 SYN URGP=0`;
}

/** Has the kernel log what rules in namespaces want logged, which it does not by itself: they could fill the log. */
function logFromNamespaces(t: ExecutionContext): void {
  const knob = '/proc/sys/net/netfilter/nf_log_all_netns';
  const before = readFileSync(knob, 'utf8');
  writeFileSync(knob, '1');
  cleanUp(t, () => {
    writeFileSync(knob, before);
  });
}
