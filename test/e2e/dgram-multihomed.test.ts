import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { netTest } from '../support/capabilities.ts';
import { Namespace, cleanUp, interfaceTo, link, until } from '../support/netns.ts';
import { readTypeScript } from '../support/typescript.ts';

// client 192.0.2.9, 2001:db8::9, fe80::… ---- veth ---- 192.0.2.1, 192.0.2.2, 2001:db8::1, 2001:db8::2, fe80::… server

const port = 62_202;
const echo = fileURLToPath(new URL('dgram-echo.ts', import.meta.url));

// plain node:dgram on a wildcard: it takes answers from anywhere, and says from where they came
const ask = `
  const [, address, waitMs] = process.argv;
  const socket = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, { address }) => { console.log(address); process.exit(); });
  socket.send('x', ${String(port)}, address);
  setTimeout(() => process.exit(), Number(waitMs));`;

async function askedAt(client: Namespace, address: string, waitMs = 5000): Promise<string> {
  const argv = [process.execPath, '-e', ask, address, String(waitMs)];
  return (await client.exec(argv)).stdout.trim();
}

async function multihomed(t: ExecutionContext): Promise<{ client: Namespace; server: Namespace }> {
  const client = await Namespace.create('client');
  cleanUp(t, () => client.remove());
  const server = await Namespace.create('server');
  cleanUp(t, () => server.remove());
  await link(client, ['192.0.2.9/24', '2001:db8::9/64'], server, [
    ...['192.0.2.1/24', '192.0.2.2/24'],
    ...['2001:db8::1/64', '2001:db8::2/64'],
  ]);
  const argv = [...readTypeScript, echo, String(port)];
  const program = server.spawn([process.execPath, ...argv], { stdio: ['ignore', 'pipe', 2] });
  if (program.stdout === null) throw new Error('no pipe');
  await once(program.stdout, 'data');
  return { client, server };
}

async function linkLocalOf(ns: Namespace, device: string): Promise<string> {
  const show = ['ip', '-6', '-o', 'addr', 'show', 'dev', device, 'scope', 'link'];
  const { stdout } = await ns.exec(show);
  return /fe80::[0-9a-f:]+/.exec(stdout)?.[0] ?? 'none';
}

netTest('a wildcard answers from the address that was asked, on each of several', async (t) => {
  const { client, server } = await multihomed(t);
  const linkLocal = await linkLocalOf(server, interfaceTo(client));
  const asked = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2'].concat(
    `${linkLocal}%${interfaceTo(server)}`,
  );
  t.deepEqual(await Promise.all(asked.map((address) => askedAt(client, address))), asked);
});

netTest('an address that comes is served, and one that goes leaves no socket', async (t) => {
  const { client, server } = await multihomed(t);
  const device = interfaceTo(client);
  t.is(await askedAt(client, '192.0.2.3', 500), '');
  await server.exec(['ip', 'addr', 'add', '192.0.2.3/24', 'dev', device]);
  await server.exec(['ip', 'addr', 'add', '2001:db8::3/64', 'dev', device, 'nodad']);
  for (const address of ['192.0.2.3', '2001:db8::3']) {
    await until(
      async () => (await askedAt(client, address, 500)) === address,
      `${address} to answer`,
    );
  }
  // not the first of its subnet: the kernel would take the others away with it
  await server.exec(['ip', 'addr', 'del', '192.0.2.3/24', 'dev', device]);
  const sockets = async (): Promise<string> => (await server.exec(['ss', '-Huln'])).stdout;
  await until(async () => !(await sockets()).includes('192.0.2.3:'), 'the socket to close');
  t.is(await askedAt(client, '192.0.2.2'), '192.0.2.2');
});
