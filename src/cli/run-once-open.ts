import type { KnockGranted } from '../client/knock.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { tellGrant } from './knock.ts';
import { runCommand } from './run-command.ts';
import { tell } from './terminal.ts';

interface Way {
  readonly endpoint: Endpoint;
  readonly close: () => Promise<void>;
}

/**
 * Runs a command, and tells it in HKNOCK_HOST and HKNOCK_PORT where it gets to the service. Its exit code is ours.
 * @param listen the UDP port of this machine that is to lead there
 */
export async function runOnceOpen(
  [program = '', ...args]: readonly string[],
  grant: KnockGranted,
  listen?: Endpoint,
): Promise<void> {
  tellGrant(grant);
  const { endpoint, close } = await wayTo(grant, listen);
  const told = { HKNOCK_HOST: endpoint.address, HKNOCK_PORT: String(endpoint.port) };
  process.exitCode = await runCommand(program, args, told).finally(close);
}

/** @throws {HknockError} `usage` when it takes a local port, and the service has none that it could lead to */
async function wayTo(grant: KnockGranted, listen: Endpoint | undefined): Promise<Way> {
  const { server, service, ports, admission, admissionPort } = grant;
  const isUdp = !ports.some(({ protocol }) => protocol === 'tcp');
  if (listen !== undefined || (admission === 'gate' && isUdp)) return forDatagrams(grant, listen);
  if (admission === 'gate' || admission === 'bound') {
    const { openLocalPort } = await import('../client/local-port.ts');
    const local = await openLocalPort(grant, {
      onFault: ({ message }) => {
        tell(message);
      },
    });
    tell(`one connection to ${formatEndpoint(local.endpoint)} leads to ${service} at ${server}`);
    return local;
  }
  const port = admissionPort ?? ports[0]?.port ?? 0;
  return { endpoint: { address: server, port }, close: () => Promise.resolve() };
}

async function forDatagrams(grant: KnockGranted, listen: Endpoint | undefined): Promise<Way> {
  const { anyLocalPort, openDatagramPort } = await import('../client/datagram-port.ts');
  const local = await openDatagramPort(grant, listen ?? anyLocalPort);
  const { service, server } = grant;
  tell(`udp ${formatEndpoint(local.endpoint)} leads to ${service} at ${server}`);
  const over = local.closed.catch((fault: unknown) => {
    tell((fault as Error).message);
  });
  const close = (): Promise<void> => {
    local.close();
    return over;
  };
  return { endpoint: local.endpoint, close };
}
