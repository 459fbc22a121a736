import type { Namespace } from '../netns.ts';

/** The firewall that knockd and fwknop are to open: nothing comes in, and nothing is said about fragments (see firewall.ts). */
export async function dropByDefault(server: Namespace): Promise<void> {
  const input = `*filter
:INPUT DROP
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A OUTPUT -p icmp --icmp-type ttl-zero-during-reassembly -j DROP
COMMIT
`;
  await server.exec(['iptables-restore'], { input });
}
