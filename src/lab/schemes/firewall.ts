import type { Namespace } from '../netns.ts';
import { SERVICE_PORT } from '../scheme.ts';

/** The ordinary firewall beside hknock's own table: nothing comes in but connections to what hknock keeps shut, and knocks. */
export async function dropAllButKnocks(server: Namespace): Promise<void> {
  const input = `
    table inet filter {
      chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        udp dport 62201-62203 accept
        tcp dport { ${String(SERVICE_PORT)}, 62203 } accept
      }
    }`;
  await server.exec(['nft', '-f', '-'], { input });
}
