import { networkInterfaces } from 'node:os';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import type { Endpoint } from '../units/network.ts';
import { type BindOptions, BoundSocket } from './bound-socket.ts';

/** An address that DHCP or a VPN brings is served before a person has typed the next command. */
const RESCAN_MS = 5000;

/**
 * A pause of ours, such as a garbage collection, lasts a few milliseconds: at 400,000 datagrams a second
 * and up to 1 KiB of kernel memory for a short one, this much bridges 10 ms.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** A port that is free on the first address may be taken on the next. */
const TRIES_FOR_ANY_PORT = 8;

/**
 * Binds a UDP endpoint: one socket for each local address, so that an answer leaves from the address that was asked.
 * All of them or none.
 * @throws {HknockError} `bind` when an address or the port cannot be had
 */
export async function bindDatagramSocket(options: BindOptions): Promise<BoundSocket> {
  for (let triesLeft = TRIES_FOR_ANY_PORT; ; triesLeft--) {
    const socket = new BoundSocket({
      rescanMs: RESCAN_MS,
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      onFault: () => undefined,
      descriptors: null,
      interfaces: networkInterfaces,
      ...options,
    });
    try {
      await socket.open();
      return socket;
    } catch (fault) {
      await socket.close();
      if (triesLeft === 0 || !isUnluckyPort(fault, options.addresses)) throw fault;
    }
  }
}

function isUnluckyPort(fault: unknown, addresses: readonly Endpoint[]): boolean {
  const isInUse = fault instanceof HknockError && systemCode(fault.cause) === 'EADDRINUSE';
  return isInUse && addresses.some(({ port }) => port === 0);
}
