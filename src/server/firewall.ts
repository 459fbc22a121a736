import type { FirewallConfig } from '../config/server-config.ts';
import { createNftables } from '../firewall/nftables/nftables.ts';
import { createNoFirewall } from '../firewall/none.ts';
import type { Clock } from '../host/clock.ts';
import type { Firewall } from '../host/firewall.ts';
import type { Log } from '../host/log.ts';

/** The backend that the configuration names. */
export function createFirewall(
  { backend }: FirewallConfig,
  host: { readonly clock: Clock; readonly log: Log },
): Firewall {
  switch (backend) {
    case 'nftables':
      return createNftables(host);
    case 'userspace':
    case 'command':
    case 'none':
      host.log.warn('no firewall: services are open to everybody');
      return createNoFirewall();
  }
}
