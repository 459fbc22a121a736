import type { ServerConfig } from '../config/server-config.ts';
import { createCommand } from '../firewall/command/command.ts';
import { createIptables } from '../firewall/iptables/iptables.ts';
import { createNftables } from '../firewall/nftables/nftables.ts';
import { createNoFirewall } from '../firewall/none.ts';
import { createUserspace } from '../firewall/userspace/userspace.ts';
import type { Clock } from '../host/clock.ts';
import type { Firewall } from '../host/firewall.ts';
import type { Log } from '../host/log.ts';

/** The backend that the configuration names. */
export function createFirewall(
  { firewall: { backend, userspace, command }, admission }: ServerConfig,
  host: { readonly clock: Clock; readonly log: Log },
): Firewall {
  switch (backend) {
    case 'nftables':
      return createNftables({ ...host, table: admission });
    case 'iptables':
      return createIptables(host);
    case 'userspace':
      return createUserspace({ ...host, ...userspace });
    case 'command':
      return createCommand({ ...host, ...command });
    case 'none':
      host.log.warn('no firewall: services are open to everybody');
      return createNoFirewall();
  }
}
