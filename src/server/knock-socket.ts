import type { ServerConfig } from '../config/server-config.ts';
import { bindDatagramSocket } from '../dgram-ext/bind.ts';
import type { BoundSocket } from '../dgram-ext/bound-socket.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { createDatagramDescriptors } from '../system/datagram-descriptors.ts';

/**
 * Binds the sockets that knocks come in by: such that threads can read from them too when the configuration wants some.
 * @throws {HknockError} `bind`, or `host` where threads cannot
 */
export async function bindKnockSocket(
  { listen, server }: Pick<ServerConfig, 'listen' | 'server'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<BoundSocket> {
  return bindDatagramSocket({
    addresses: listen,
    descriptors: server.workers > 1 ? await createDatagramDescriptors() : null,
    clock,
    onFault: (fault) => {
      log.warn('address not served', { fault: fault.message });
    },
  });
}
