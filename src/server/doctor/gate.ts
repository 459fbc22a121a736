import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { tlsParameters } from '../../admission/gate/tls-parameters.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import { TABLE } from '../../firewall/nftables/layout.ts';
import { runOnce } from '../../firewall/nftables/once.ts';
import { fail, type Finding, ok, warn } from '../../units/finding.ts';
import { formatEndpoint } from '../../units/network.ts';
import { listenAll } from '../gate/listen.ts';
import { faultFindings } from './fault-findings.ts';
import { isRunning } from './knock-port.ts';
import { listeners } from './listeners.ts';

/** Whether the gate could do its work, if there is to be one. */
export async function examineGate(config: ServerConfig): Promise<readonly Finding[]> {
  const port = config.gate.listen[0]?.port;
  if (port === undefined) return [];
  const runs = await isRunning(config.controlSocket);
  const parts = [
    examineTls(),
    runs ? examineListener(port) : examinePort(config),
    runs ? examineReach(config, port) : Promise.resolve([]),
  ];
  return (await Promise.all(parts)).flat();
}

/** Tried, because what OpenSSL was built or configured with decides it. */
async function examineTls(): Promise<readonly Finding[]> {
  const psk = Buffer.alloc(32, 1);
  const server = createServer({ ...tlsParameters, pskCallback: () => psk });
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const pskCallback = () => ({ psk, identity: 'doctor' });
    const client = connect({ host: '127.0.0.1', port, ...tlsParameters, pskCallback });
    await once(client, 'secureConnect');
    client.destroy();
    return [ok('TLS 1.3 with a pre-shared key works here, as the gate needs it')];
  } catch (fault) {
    const mend = 'use a Node whose OpenSSL has TLS_AES_128_GCM_SHA256 and X25519';
    return [fail(`TLS 1.3 with a pre-shared key does not work here: ${String(fault)}`, mend)];
  } finally {
    server.close();
  }
}

async function examinePort({ gate: { listen } }: ServerConfig): Promise<readonly Finding[]> {
  const where = listen.map(formatEndpoint).join(' ');
  try {
    const servers = await listenAll(listen, (socket) => socket.resetAndDestroy());
    for (const each of servers) each.close();
    return [ok(`the gate can have TCP ${where} (no server is running)`)];
  } catch (fault) {
    return faultFindings(fault);
  }
}

async function examineListener(port: number): Promise<readonly Finding[]> {
  const all = await listeners('tcp');
  if (all === null) return [];
  const where = `TCP port ${String(port)}`;
  return all.some((each) => each.port === port)
    ? [ok(`the gate listens on ${where}`)]
    : [fail(`a server is running, but no gate listens on ${where}`, 'restart the server')];
}

/** Whether the port takes connections from those alone who have a grant. */
async function examineReach(
  { gate: { anyAddress }, firewall: { backend } }: ServerConfig,
  port: number,
): Promise<readonly Finding[]> {
  if (anyAddress || backend === 'userspace') {
    const why = anyAddress ? 'any_address' : 'the userspace firewall';
    return [ok(`with ${why} everybody reaches the gate's port, and its key alone decides`)];
  }
  if (backend !== 'nftables') return [];
  const element = `{ tcp . ${String(port)} }`;
  const { cause, stderr } = await runOnce('nft', [
    ...['get', 'element', ...TABLE.split(' ')],
    ...['protected', element],
  ]);
  if (cause === null) return [ok("the kernel shuts the gate's port to all who have no grant")];
  const [said = ''] = stderr.split('\n');
  return [
    warn(
      `cannot see that the gate's port is shut: ${said}`,
      'run this as root, or restart the server',
    ),
  ];
}
