import { fileURLToPath } from 'node:url';
import type { Conditions } from '../../src/dgram-ext/memory-network.ts';
import { type Topology, addresses } from './topology.ts';
import { readTypeScript } from './typescript.ts';

export interface RelayOptions extends Partial<Conditions> {
  /** The server's address and UDP port whose datagrams are to pass through the relay. */
  readonly server?: string;
  readonly port: number;
  readonly listenPort?: number;
  readonly seed?: number;
}

const program = fileURLToPath(new URL('relay-program.ts', import.meta.url));

/**
 * Leads the client's datagrams for one UDP port of the server through a relay on the NAT. The server sees them come from
 * the NAT's public address, as it sees the client's connections. Ends with the namespace.
 */
export async function startRelay({ nat }: Topology, options: RelayOptions): Promise<void> {
  const all: Required<RelayOptions> = {
    server: addresses.server,
    listenPort: 5300,
    seed: 1,
    loss: 0,
    duplication: 0,
    minDelayMs: 0,
    maxDelayMs: 0,
    ...options,
  };
  const run = ['node', ...readTypeScript, program, JSON.stringify(all)];
  const relay = nat.spawn(run, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of relay.stdout ?? []) if (String(line).includes('ready')) break;
  const input = `
    table ip relay {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        ip daddr ${all.server} udp dport ${String(all.port)} redirect to :${String(all.listenPort)}
      }
    }`;
  await nat.exec(['nft', '-f', '-'], { input });
}
