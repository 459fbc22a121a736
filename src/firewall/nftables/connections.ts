import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { parseAddress } from '../../bytes/address.ts';
import type { Endpoint, Port, ServicePort } from '../../units/network.ts';
import { formatEndpoint, isPort } from '../../units/network.ts';

/** A TCP connection to a port of this machine. */
export interface Connection {
  readonly remote: Endpoint;
  readonly localPort: Port;
}

/** The same text for the same connection. */
export function formatConnection({ remote, localPort }: Connection): string {
  return `${formatEndpoint(remote)} ${String(localPort)}`;
}

/** TCP_ESTABLISHED of the kernel's include/net/tcp_states.h */
const ESTABLISHED = '01';

/**
 * The established TCP connections to some ports, in the network namespace of a process. Conntrack cannot be
 * asked: it knows no connection that was made before a rule needed it.
 */
export async function connectionsTo(
  ports: readonly ServicePort[],
  pid: number,
): Promise<readonly Connection[]> {
  const wanted = new Set(
    ports.filter(({ protocol }) => protocol === 'tcp').map((each) => each.port),
  );
  if (wanted.size === 0) return [];
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => read(pid, name)));
  return tables.flatMap(parseConnections).filter(({ localPort }) => wanted.has(localPort));
}

/** Reads the text of `/proc/net/tcp` or `/proc/net/tcp6` (Linux, Documentation/networking/proc_net_tcp.rst). */
export function parseConnections(text: string): readonly Connection[] {
  return text.split('\n').flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || state !== ESTABLISHED) return [];
    const [to, from] = [decode(local), decode(remote)];
    return to === null || from === null || !isPort(to.port)
      ? []
      : [{ remote: from, localPort: to.port }];
  });
}

function decode(text: string): Endpoint | null {
  const [hex = '', port = ''] = text.split(':');
  const address = parseAddress(hex.length === 8 ? ipv4Text(words(hex)) : ipv6Text(words(hex)));
  return address === null ? null : { address, port: Number.parseInt(port, 16) };
}

// the kernel prints each 32-bit word as a number of this machine
function words(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return endianness() === 'LE' && bytes.length % 4 === 0 ? bytes.swap32() : bytes;
}

function ipv4Text(bytes: Buffer): string {
  return bytes.join('.');
}

function ipv6Text(bytes: Buffer): string {
  return bytes.toString('hex').match(/.{4}/g)?.join(':') ?? '';
}

// a kernel without IPv6 has no tcp6
async function read(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${String(pid)}/net/${name}`, 'utf8').catch(() => '');
}
