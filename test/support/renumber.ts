import type { Topology } from './topology.ts';

/**
 * Has the NAT add 2^31 to each sequence number on its way out, and take it away from what is acknowledged on the way back, as
 * firewalls do that mistrust their clients' choice of numbers.
 */
export async function renumber({ nat }: Topology): Promise<void> {
  const input = `
    table ip renumber {
      chain out {
        type filter hook postrouting priority srcnat + 10;
        ip daddr 198.51.100.0/24 tcp sequence set tcp sequence ^ 0x80000000
      }
      chain back {
        type filter hook prerouting priority raw;
        ip saddr 198.51.100.0/24 tcp ackseq set tcp ackseq ^ 0x80000000
      }
    }`;
  await nat.exec(['nft', '-f', '-'], { input });
}
