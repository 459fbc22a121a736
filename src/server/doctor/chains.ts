import type { ServerConfig } from '../../config/server-config.ts';
import { blockingChains } from '../../firewall/nftables/blocking-chains.ts';
import { runOnce } from '../../firewall/nftables/once.ts';
import { type Finding, ok, warn } from '../../units/finding.ts';
import { formatServicePort, isPort, type ServicePort } from '../../units/network.ts';

/**
 * Whether other tables drop what ours lets in: a packet has to be accepted by every chain that it passes, so the operator's own
 * must accept the knocks and the services. A guess, since a ruleset can be written in many ways.
 */
export async function examineChains(config: ServerConfig): Promise<readonly Finding[]> {
  const { stdout, cause } = await runOnce('nft', ['-j', '-t', 'list', 'ruleset']);
  // no nft, or no privilege: what needs them says so
  if (cause !== null) return [];
  const blocking = blockingChains(stdout, wantedPorts(config));
  if (blocking.length === 0)
    return [ok('no other nftables chain seems to drop knocks or services')];
  return blocking.map(({ chain, ports }) => {
    const rules = ports.map(
      ({ protocol, port }) => `nft insert rule ${chain} ${protocol} dport ${String(port)} accept`,
    );
    return warn(
      `chain ${chain} seems to drop ${ports.map(formatServicePort).join(', ')}`,
      `let it accept them (knocks are for all; services we shut before it is asked): ${rules.join('; ')}`,
    );
  });
}

function wantedPorts({ listen, gate, fwknop, services }: ServerConfig): readonly ServicePort[] {
  const heard = [...listen, ...(fwknop.enabled ? fwknop.listen : [])];
  const knocks = [...new Set(heard.map(({ port }) => port))].filter(isPort);
  const gates = [...new Set(gate.listen.map(({ port }) => port))].filter(isPort);
  return [
    ...knocks.map((port): ServicePort => ({ protocol: 'udp', port })),
    ...gates.map((port): ServicePort => ({ protocol: 'tcp', port })),
    ...[...services.values()].flatMap(({ ports }) => ports),
  ];
}
