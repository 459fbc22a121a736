import { loadServerConfig } from '../../config/load.ts';
import { loadSchemes } from '../../config/scheme-files.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import { PeerStore } from '../../store/peer-store.ts';
import { readResponderKey } from '../../store/responder-key.ts';
import { type Finding, ok, warn } from '../../units/finding.ts';
import { examineCertificates } from './certificates.ts';
import { examineChains } from './chains.ts';
import { faultFindings } from './fault-findings.ts';
import { examineFirewall } from './firewall.ts';
import { examineFwknop } from './fwknop.ts';
import { examineGate } from './gate.ts';
import { examineKnockPort } from './knock-port.ts';
import { examineSequences } from './sequences.ts';
import { examineServices } from './services.ts';
import { examineSilent } from './silent.ts';

/** Looks for what would keep the server in a folder from working on this machine. Changes nothing. */
export async function examineServer(directory: string): Promise<readonly Finding[]> {
  const { findings, config } = await examineFolder(directory);
  if (config === null) return findings;
  const parts = [
    examineKnockPort(config),
    examineFirewall(config),
    examineGate(config),
    examineChains(config),
    examineServices(config),
    examineCertificates(config),
    examineSequences(config),
    examineFwknop(config),
    examineSilent(config),
  ];
  return [...findings, ...(await Promise.all(parts)).flat()];
}

/** All parts, so that one that is wrong does not hide what is wrong with the others. */
async function examineFolder(
  directory: string,
): Promise<{ readonly findings: readonly Finding[]; readonly config: ServerConfig | null }> {
  let config = null as ServerConfig | null;
  const findings = [
    await attempt(async () => {
      config = await loadServerConfig(directory);
      return examineConfig(config);
    }),
    await attempt(async () => {
      if (config !== null) await loadSchemes(config);
      return [];
    }),
    await attempt(async () => {
      await readResponderKey(directory);
      return [];
    }),
    await attempt(() => examinePeers(directory, config)),
  ];
  return { findings: findings.flat(), config };
}

async function attempt(
  look: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (fault) {
    return faultFindings(fault);
  }
}

function examineConfig({ directory, services, publicHosts }: ServerConfig): readonly Finding[] {
  const noHosts = warn(
    'public_hosts is empty, so no profile can say how to reach this server',
    `name the server in public_hosts in ${directory}/hknock.toml, or each time: hknock peer add --host`,
  );
  const noServices = warn(
    'there is no service, so nothing is shut and nothing can be opened',
    'hknock service add ssh tcp/22',
  );
  return [
    ok(`${directory} is a server's folder`),
    ...(publicHosts.length === 0 ? [noHosts] : []),
    ...(services.size === 0 ? [noServices] : []),
  ];
}

async function examinePeers(
  directory: string,
  config: ServerConfig | null,
): Promise<readonly Finding[]> {
  const known = config === null ? null : new Set(config.services.keys());
  const peers = await new PeerStore(directory).list(known);
  return peers.length === 0
    ? [warn('there is no peer, so nobody can knock', 'hknock peer add NAME --service SERVICE')]
    : [ok(`peers: ${String(peers.length)}`)];
}
