import { endianness } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { ADDRESS_LENGTH, encodeEndpoint, familyOf } from '../bytes/address.ts';
import type { Endpoint } from '../units/network.ts';

// include/uapi of Linux; the same numbers on every architecture for which Node is built
export const AF_INET = 2;
export const AF_INET6 = 10;

/** struct sockaddr_in or sockaddr_in6. @param scope the interface of an IPv6 link-local address, by its number */
export function socketAddress(endpoint: Endpoint, scope = 0): Buffer {
  const encoded = Buffer.alloc(ADDRESS_LENGTH + 2);
  encodeEndpoint(endpoint, encoded, 0);
  const [address, port] = [encoded.subarray(0, ADDRESS_LENGTH), encoded.subarray(ADDRESS_LENGTH)];
  return familyOf(endpoint.address) === 4
    ? Buffer.concat([native(AF_INET, 2), port, address.subarray(12), Buffer.alloc(8)])
    : Buffer.concat([native(AF_INET6, 2), port, Buffer.alloc(4), address, native(scope, 4)]);
}

/** A number as C has it on this machine. */
export function native(value: number, length: 2 | 4): Buffer {
  const bytes = Buffer.alloc(length);
  if (endianness() === 'LE') bytes.writeUIntLE(value, 0, length);
  else bytes.writeUIntBE(value, 0, length);
  return bytes;
}

interface SystemFault extends Error {
  readonly code: string;
}

/** An error as Node makes them of a call that failed. */
export function systemFault(call: string, errno: number): SystemFault {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${call} ${code}`), { code, syscall: call });
}
