import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { netTest } from '../support/capabilities.ts';
import { badCertificates, issueAll } from '../support/bad-certificates.ts';
import {
  ask,
  type Deployment,
  edit,
  furnish,
  inhabit,
  servicePort,
} from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import { type Daemon, Machine } from '../support/machine.ts';
import { cleanUp, type Finished, until } from '../support/netns.ts';
import { defects, type Knock } from '../support/sknock-packets.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { readTypeScript } from '../support/typescript.ts';

const sender = fileURLToPath(new URL('sknock-sender.ts', import.meta.url));
const KNOCK_PORT = 62_203;
const over4 = { address: addresses.server, port: servicePort };
const over6 = { address: addresses.server6, port: servicePort };

interface Knocking extends Deployment {
  /** A client without NAT: the box that is the NAT for the others. */
  readonly outside: Machine;
}

/** A server with the service `web`, still to be told of certificates. */
const prepared = forFile(async (owner) => {
  const machines = await inhabit(owner);
  const outside = new Machine(machines.topology.nat);
  cleanUp(owner, () => outside.remove());
  await startService(machines.server, servicePort);
  await furnish(machines.server);
  return { ...machines, outside };
});

/** The same with an authority, and machines that have a certificate for `web`. */
const certified = forFile(async () => {
  const machines = await prepared();
  const { server, client, outside } = machines;
  await server.hknock(['ca', 'init']);
  await server.hknock(['ca', 'issue', 'gate', '--server']);
  const out = server.path('alice.pem');
  await server.hknock(['ca', 'issue', 'alice', '--service', 'web', '--out', out]);
  for (const machine of [client, outside]) {
    copyFileSync(server.path('alice.pem'), machine.path('alice.pem'));
    copyFileSync(server.path('alice.key'), machine.path('alice.key'));
    copyFileSync(server.path('server/server.pem'), machine.path('server.pem'));
  }
  return machines;
});

let latest: Daemon | null = null;

/** A server that takes sKnock's packets. */
async function serving(options = ''): Promise<Knocking> {
  const machines = await certified();
  const daemon = await serveWith(machines.server, { ca: 'ca/ca.pem', key: 'server.key', options });
  return { ...machines, daemon };
}

/** Starts the server with another configuration, in place of the one that runs. */
async function serveWith(server: Machine, configuration: Configuration): Promise<Daemon> {
  await latest?.end();
  configure(server, configuration);
  latest = await server.serve();
  return latest;
}

interface Configuration {
  readonly ca: string;
  readonly key: string;
  /** More lines of `[certificates]`. */
  readonly crl?: string;
  /** More lines of `[sknock]`. */
  readonly options?: string;
}

function configure(server: Machine, { ca, key, crl = '', options = '' }: Configuration): void {
  const listen = ['0.0.0.0', '[::]'].map((each) => `"${each}:${String(KNOCK_PORT)}"`).join(', ');
  edit(
    server,
    (text) => `${text.replace(/\n\[certificates\][^]*/, '')}
[certificates]
ca = "${ca}"
key = "${key}"
${crl}
[sknock]
listen = [${listen}]
${options}
`,
  );
}

/** Runs `hknock COMMAND HOST … --mode sknock` to its end, whatever that is. */
function hknock(
  machine: Machine,
  [command, host]: readonly [command: 'knock' | 'connect', host: string],
  ...more: readonly string[]
): Promise<Finished> {
  const files = ['--cert', 'alice.pem', '--key', 'alice.key', '--server-cert', 'server.pem'];
  const paths = files.map((each) => (each.startsWith('--') ? each : machine.path(each)));
  const argv = [command, host, `tcp/${String(servicePort)}`, '--mode', 'sknock', ...paths, ...more];
  const input = command === 'connect' ? { input: 'hello' } : {};
  return machine.hknock(argv, { allowFailure: true, ...input });
}

/** Knocks by a program that is not ours; says when there was an answer, which there must not be. */
async function send(
  machine: Machine,
  { to, server, knocks }: { to: string; server: string; knocks: readonly Knock[] },
): Promise<string> {
  const node = [process.execPath, ...readTypeScript, sender];
  const words = [to, String(KNOCK_PORT), server, JSON.stringify(knocks)];
  return (await machine.run([...node, ...words])).stdout;
}

async function counted(server: Machine): Promise<Readonly<Record<string, number>>> {
  const { modes } = (await ask(server, 'status')) as {
    modes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
  return modes['sknock'] ?? {};
}

async function untilCounted(server: Machine, what: string, count: number): Promise<void> {
  const isThere = async () => (await counted(server))[what] === count;
  await until(isThere, `${String(count)} ${what}`, 30_000);
}

netTest.serial(
  'a knock opens one connection, over IPv4 and IPv6, ours and another’s',
  async (t) => {
    const { server, client, outside } = await serving();
    t.not(await visit(outside, over4), welcome);
    const sent = await hknock(outside, ['knock', addresses.server], '--json');
    t.like(JSON.parse(sent.stdout), {
      sent: true,
      claimedAddress: addresses.public,
      mode: 'sknock',
    });
    await untilCounted(server, 'granted', 1);
    t.not(await visit(client, over6), welcome, 'the grant is for another address');
    t.is(await visit(outside, over4), welcome);
    t.not(await visit(outside, over4), welcome);

    const alice = {
      claimed: addresses.client6,
      port: servicePort,
      certificate: client.path('alice.pem'),
      key: client.path('alice.key'),
    };
    const other = { to: addresses.server6, server: client.path('server.pem'), knocks: [alice] };
    t.is(await send(client, other), '', 'nobody answers');
    await untilCounted(server, 'granted', 2);
    t.is(await visit(client, over6), welcome);

    const joined = await hknock(client, ['connect', addresses.server6]);
    t.is(joined.stdout, `${welcome}\nhello`);
  },
);

netTest.serial('with the range, a datagram to any of its ports counts, and no other', async (t) => {
  const { server, client, outside, daemon } = await serving('range = true');
  const knockAt = (port: number | 'random') =>
    hknock(outside, ['knock', addresses.server], '--port', String(port));
  const ports = [10_000, 60_000, 'random'] as const;
  for (const [at, port] of ports.entries()) {
    await knockAt(port);
    await untilCounted(server, 'granted', at + 1);
  }
  await hknock(client, ['knock', addresses.server6], '--port', '12345');
  await untilCounted(server, 'granted', 4);
  for (const port of [9999, 60_001]) await knockAt(port);
  t.like(await counted(server), { received: 4, granted: 4 });

  const heard = await listenAt(server, 51_820);
  await knockAt(51_820);
  await until(() => heard().includes('True'), 'the other to hear the datagram', 30_000);
  t.like(await counted(server), { received: 4 }, 'a port on which somebody listens stays his');

  // somebody else
  await server.run(['nft', 'flush', 'ruleset']);
  await until(() => daemon.log.includes('knock ports was gone'), 'the range to be back', 30_000);
  await knockAt(10_000);
  await untilCounted(server, 'granted', 5);
  await daemon.end();
  const { stdout } = await server.run(['nft', 'list', 'tables']);
  t.is(stdout, '', 'nothing of ours is left');
});

/** Another program with a UDP port, and what it says: whether a datagram came that is as long as a knock. */
async function listenAt(server: Machine, port: number): Promise<() => string> {
  const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', ${String(port)}))
print('ready', flush=True)
print(len(s.recvfrom(2000)[0]) > 400, flush=True)`;
  const listener = server.start(['python3', '-c', script]);
  let said = '';
  listener.stdout?.on('data', (text: Buffer) => (said += text.toString()));
  await until(() => said.includes('ready'), 'the other to listen', 30_000);
  return () => said;
}

netTest.serial(
  'behind a NAT the address in the packet is not the one seen, and that alone keeps the client out',
  async (t) => {
    const { server, client, daemon } = await serving();
    const shut = ['--verify', '--timeout', '200ms', '--retries', '1', '--json'];
    const failed = await hknock(client, ['knock', addresses.server], ...shut);
    t.is(failed.code, 69);
    t.deepEqual(JSON.parse(failed.stdout), { granted: false, reason: 'no-answer' });
    t.regex(failed.stderr, /Behind a NAT .*--mode certificate/);
    await untilCounted(server, 'address', 2);
    t.like(await counted(server), { granted: 0 });
    await daemon.writes(/warn sknock dropped reason=address source=198\.51\.100\.1/);
    t.not(await visit(client, over4), welcome);

    const named = ['--verify', '--json', '--source', addresses.public];
    const opened = await hknock(client, ['knock', addresses.server], ...named);
    t.like(
      JSON.parse(opened.stdout),
      { granted: true },
      'who knows his public address can name it',
    );

    t.false(daemon.log.includes('any address'));
    edit(server, (text) => text.replace('\n[sknock]\n', '\n[sknock]\ncheck_address = false\n'));
    daemon.child.kill('SIGHUP');
    await until(() => /warn .*any address.* risk=/.test(daemon.log), 'the warning', 30_000);
    const unchecked = await hknock(client, ['knock', addresses.server], '--verify', '--json');
    t.like(JSON.parse(unchecked.stdout), { granted: true, claimedAddress: addresses.client });
  },
);

const badDatagrams: Readonly<Record<(typeof defects)[number], string>> = {
  truncated: 'length',
  oversized: 'length',
  padding: 'padding',
  'off the curve': 'point',
  infinity: 'point',
  'signed something else': 'signature',
};

netTest.serial(
  'whatever is wrong with a packet or its certificate: silence, and one line that says what',
  async (t) => {
    const { server, outside } = await prepared();
    const { ca, pem } = issueAll(t, servicePort);
    const daemon = await serveWith(server, {
      ca: ca.path('ca.pem'),
      key: ca.path('server.key'),
      crl: `crl = "${ca.path('crl.pem')}"`,
    });
    await until(() => daemon.log.includes('crl taken'), 'the list to be read', 30_000);

    const good = {
      claimed: addresses.public,
      port: servicePort,
      certificate: ca.path('good.pem'),
      key: ca.path('good.key'),
    };
    const knocks = [
      ...Object.keys(badCertificates).map((name) => ({
        ...good,
        certificate: pem(name),
      })),
      ...defects.map((defect) => ({ ...good, defect })),
    ];
    const to = { to: addresses.server, server: ca.path('server.pem') };
    t.is(await send(outside, { ...to, knocks }), '', 'nobody answers');
    const dropped = () => daemon.log.match(/ warn sknock dropped reason=\S+/g) ?? [];
    await until(() => dropped().length === knocks.length, 'a line for each', 30_000);
    const reasons = [...Object.values(badCertificates), ...Object.values(badDatagrams)];
    const lines = reasons.map((reason) => ` warn sknock dropped reason=${reason}`);
    t.deepEqual(dropped().sort(), lines.sort());
    const counts = Object.fromEntries(
      reasons.map((reason) => [reason, reasons.filter((each) => each === reason).length]),
    );
    t.like(await counted(server), { received: knocks.length, granted: 0, failed: 0, ...counts });
    t.not(await visit(outside, over4), welcome);

    await send(outside, { ...to, knocks: [good] });
    await untilCounted(server, 'granted', 1);
    t.is(await visit(outside, over4), welcome, 'a good one does get in');
  },
);
