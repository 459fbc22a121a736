import { familyOf } from '../bytes/address.ts';
import type { DatagramDescriptors } from '../host/datagram-descriptors.ts';
import { loadLibc } from './libc.ts';
import { AF_INET, AF_INET6, socketAddress, systemFault } from './socket-address.ts';

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;

/**
 * Binds by the C library: `node:dgram` takes a descriptor that is bound, but gives none.
 * @throws {HknockError} `host` where that cannot be
 */
export async function createDatagramDescriptors(): Promise<DatagramDescriptors> {
  const libc = await loadLibc();
  const checked = (call: string, result: number): number => {
    if (result === -1) throw systemFault(call, libc.errno());
    return result;
  };
  return {
    open(endpoint, scope) {
      const family = familyOf(endpoint.address) === 4 ? AF_INET : AF_INET6;
      const descriptor = checked('socket', libc.socket(family, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0));
      try {
        const address = socketAddress(endpoint, scope);
        checked('bind', libc.bind(descriptor, address, address.length));
        return descriptor;
      } catch (fault) {
        libc.close(descriptor);
        throw fault;
      }
    },
    again: (descriptor) => checked('dup', libc.dup(descriptor)),
    close: (descriptor) => {
      libc.close(descriptor);
    },
  };
}
