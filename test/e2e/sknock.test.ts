import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { netTest } from '../support/capabilities.ts';
import { ask, type Deployment, edit, inhabit, servicePort } from '../support/deployment.ts';
import { Machine } from '../support/machine.ts';
import { cleanUp, until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { readTypeScript } from '../support/typescript.ts';

const sender = fileURLToPath(new URL('sknock-sender.ts', import.meta.url));
const KNOCK_PORT = 62_203;

interface Knocking extends Deployment {
  /** A client without NAT: the box that is the NAT for the others. */
  readonly outside: Machine;
}

/** A server that takes sKnock's packets, and machines that have a certificate for `web`. */
async function deploy(t: ExecutionContext, options = ''): Promise<Knocking> {
  const machines = await inhabit(t);
  const { server, client, topology } = machines;
  const outside = new Machine(topology.nat);
  cleanUp(t, () => outside.remove());
  await startService(server, servicePort);
  await server.hknock(['init']);
  await server.hknock(['service', 'add', 'web', `tcp/${String(servicePort)}`, '--ttl', '20s']);
  await server.hknock(['ca', 'init']);
  await server.hknock(['ca', 'issue', 'gate', '--server']);
  await server.hknock([
    'ca',
    'issue',
    'alice',
    '--service',
    'web',
    '--out',
    server.path('alice.pem'),
  ]);
  const listen = ['0.0.0.0', '[::]'].map((each) => `"${each}:${String(KNOCK_PORT)}"`).join(', ');
  edit(
    server,
    (text) =>
      `${text}\n[certificates]\nca = "ca/ca.pem"\nkey = "server.key"\n[sknock]\nlisten = [${listen}]\n${options}\n`,
  );
  for (const machine of [client, outside]) {
    copyFileSync(server.path('alice.pem'), machine.path('alice.pem'));
    copyFileSync(server.path('alice.key'), machine.path('alice.key'));
    copyFileSync(server.path('server/server.pem'), machine.path('server.pem'));
  }
  return { ...machines, outside, daemon: await server.serve() };
}

/** Knocks for the service, and says when there was an answer, which there must not be. */
async function knock(
  machine: Machine,
  { to, port = KNOCK_PORT, claimed }: { to: string; port?: number; claimed: string },
): Promise<string> {
  const files = ['alice.pem', 'alice.key', 'server.pem'].map((name) => machine.path(name));
  const words = [to, String(port), claimed, String(servicePort), ...files];
  const node = [process.execPath, ...readTypeScript, sender];
  return (await machine.run([...node, ...words])).stdout;
}

async function counted(server: Machine): Promise<Readonly<Record<string, number>>> {
  const { modes } = (await ask(server, 'status')) as {
    modes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
  return modes['sknock'] ?? {};
}

async function untilCounted(server: Machine, what: string, count: number): Promise<void> {
  await until(
    async () => (await counted(server))[what] === count,
    `${String(count)} ${what}`,
    30_000,
  );
}

netTest.serial(
  'a knock opens one connection, over IPv4 and IPv6, and is never answered',
  async (t) => {
    const { server, client, outside } = await deploy(t);
    const over4 = { address: addresses.server, port: servicePort };
    const over6 = { address: addresses.server6, port: servicePort };
    t.not(await visit(outside, over4), welcome);
    t.is(await knock(outside, { to: addresses.server, claimed: addresses.public }), '');
    await untilCounted(server, 'granted', 1);
    t.not(await visit(client, over6), welcome, 'the grant is for another address');
    t.is(await visit(outside, over4), welcome);
    t.not(await visit(outside, over4), welcome);

    t.is(await knock(client, { to: addresses.server6, claimed: addresses.client6 }), '');
    await untilCounted(server, 'granted', 2);
    t.is(await visit(client, over6), welcome);
  },
);

netTest.serial('with the range, a datagram to any of its ports counts, and no other', async (t) => {
  const { server, client, outside, daemon } = await deploy(t, 'range = true');
  const from4 = { to: addresses.server, claimed: addresses.public };
  for (const [at, port] of [10_000, 60_000, 33_333].entries()) {
    await knock(outside, { ...from4, port });
    await untilCounted(server, 'granted', at + 1);
  }
  await knock(client, { to: addresses.server6, claimed: addresses.client6, port: 12_345 });
  await untilCounted(server, 'granted', 4);
  for (const port of [9999, 60_001]) await knock(outside, { ...from4, port });
  t.like(await counted(server), { received: 4, granted: 4 });

  await server.run(['nft', 'flush', 'ruleset']);
  await until(() => daemon.log.includes('knock ports was gone'), 'the range to be back', 30_000);
  await knock(outside, { ...from4, port: 10_000 });
  await untilCounted(server, 'granted', 5);
  await daemon.end();
  const { stdout } = await server.run(['nft', 'list', 'tables']);
  t.is(stdout, '', 'nothing of ours is left');
});

netTest.serial('a port of the range on which somebody listens stays that one’s', async (t) => {
  const { server, outside } = await deploy(t, 'range = true');
  const script = `import socket,sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 51820))
print('ready', flush=True)
print(len(s.recvfrom(2000)[0]) > 400, flush=True)`;
  const listener = server.start(['python3', '-c', script]);
  let heard = '';
  listener.stdout?.on('data', (text: Buffer) => (heard += text.toString()));
  await until(() => heard.includes('ready'), 'the other to listen');
  await knock(outside, { to: addresses.server, claimed: addresses.public, port: 51_820 });
  await until(() => heard.includes('True'), 'the other to hear the datagram');
  t.like(await counted(server), { received: 0 });
});

netTest.serial(
  'behind a NAT the claimed address is not the one seen, and nothing opens',
  async (t) => {
    const { server, client, daemon } = await deploy(t);
    t.is(await knock(client, { to: addresses.server, claimed: addresses.client }), '');
    await untilCounted(server, 'address', 1);
    t.like(await counted(server), { granted: 0 });
    t.regex(daemon.log, /warn sknock dropped reason=address /);
    t.not(await visit(client, { address: addresses.server, port: servicePort }), welcome);
  },
);

netTest.serial('with the check of the address off, a client behind a NAT gets in', async (t) => {
  const { server, client, daemon } = await deploy(t, 'check_address = false');
  t.regex(daemon.log, /warn .*any address/);
  await knock(client, { to: addresses.server, claimed: addresses.client });
  await untilCounted(server, 'granted', 1);
  t.is(await visit(client, { address: addresses.server, port: servicePort }), welcome);
});
