import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { decodeEndpoint } from '../../bytes/address.ts';
import { concat } from '../../bytes/bytes.ts';
import type { Endpoint, Protocol } from '../../units/network.ts';

/** TCP_LISTEN, and TCP_CLOSE for a UDP socket without a remote, of the kernel's include/net/tcp_states.h */
const LISTENING: Readonly<Record<Protocol, string>> = { tcp: '0A', udp: '07' };

/** What precedes an IPv4 address in 16 bytes. */
const MAPPED = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** Where this machine listens; null when the system does not tell (it is not Linux). */
export async function listeners(protocol: Protocol): Promise<readonly Endpoint[] | null> {
  const tables = await Promise.allSettled(
    [protocol, `${protocol}6`].map((name) => readFile(`/proc/net/${name}`, 'latin1')),
  );
  const read = tables.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  return read.length === 0
    ? null
    : read.flatMap((text) => parseListeners(text, LISTENING[protocol]));
}

/** Reads the text of `/proc/net/tcp` and its like (Linux, Documentation/networking/proc_net_tcp.rst). */
function parseListeners(text: string, listening: string): readonly Endpoint[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === listening)
    .map(([, local = '']) => decode(local));
}

// the kernel prints each 32-bit word of the address as a number of this machine, and the port as it is
function decode(text: string): Endpoint {
  const [address = '', port = ''] = text.split(':').map((hex) => Buffer.from(hex, 'hex'));
  const bytes = Buffer.from(address);
  if (endianness() === 'LE') bytes.swap32();
  return decodeEndpoint(
    concat(bytes.length === 4 ? MAPPED : new Uint8Array(), bytes, Buffer.from(port)),
    0,
  );
}
