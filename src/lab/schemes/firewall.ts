import type { Namespace } from '../netns.ts';
import { SERVICE_PORT } from '../scheme.ts';

/** Where knocks and TCP connections come in; at least one of each. */
export interface LetThrough {
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
}

/** Where hknock listens, whatever the way of knocking. */
const HKNOCK_PORT = 62_202;

/** Has the server let in knocks and connections to the laboratory's service, and what is said besides. */
export function dropAllButKnocks(
  server: Namespace,
  { udp = [], tcp = [] }: Partial<LetThrough>,
): Promise<void> {
  return dropAllBut(server, { udp: [HKNOCK_PORT, ...udp], tcp: [SERVICE_PORT, ...tcp] });
}

/**
 * The ordinary firewall beside hknock's own table: nothing comes in but connections to what hknock keeps shut, and knocks. And
 * nothing is said about fragments: the kernel puts datagrams together before any filter sees them, and tells the sender when it could not.
 */
export async function dropAllBut(server: Namespace, { udp, tcp }: LetThrough): Promise<void> {
  const input = `
    table inet filter {
      chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        udp dport { ${udp.join(', ')} } accept
        tcp dport { ${tcp.join(', ')} } accept
      }
      chain output {
        type filter hook output priority filter;
        icmp type time-exceeded icmp code 1 drop
      }
    }`;
  await server.exec(['nft', '-f', '-'], { input });
}
