import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { ADDRESS_LENGTH, ENDPOINT_LENGTH, encodeEndpoint, familyOf } from '../bytes/address.ts';
import type { Endpoint } from '../units/network.ts';

/**
 * How many datagrams the kernel has dropped before the sockets bound to `locals` could read them:
 * the last column of /proc/net/udp and udp6. 0 where there is no such file.
 */
export function kernelDrops(locals: readonly Endpoint[]): number {
  return dropsOf(locals, 4) + dropsOf(locals, 6);
}

function dropsOf(locals: readonly Endpoint[], family: 4 | 6): number {
  const names = new Set(
    locals.filter(({ address }) => familyOf(address) === family).map(kernelName),
  );
  if (names.size === 0) return 0;
  const rows = readTable(family === 4 ? '/proc/net/udp' : '/proc/net/udp6');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local = '']) => names.has(local))
    .reduce((sum, columns) => sum + Number(columns.at(-1)), 0);
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').trimEnd().split('\n').slice(1);
  } catch {
    return []; // not Linux, or /proc is not ours to read
  }
}

/** How the kernel writes an endpoint there: each 32-bit word of the address as the host's number, then the port. */
function kernelName(endpoint: Endpoint): string {
  const bytes = Buffer.alloc(ENDPOINT_LENGTH);
  encodeEndpoint(endpoint, bytes, 0);
  const start = familyOf(endpoint.address) === 4 ? ADDRESS_LENGTH - 4 : 0;
  const address = bytes.subarray(start, ADDRESS_LENGTH);
  if (endianness() === 'LE') address.swap32();
  const port = bytes.subarray(ADDRESS_LENGTH);
  return `${address.toString('hex')}:${port.toString('hex')}`.toUpperCase();
}
