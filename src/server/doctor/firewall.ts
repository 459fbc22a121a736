import { access, constants } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import type { ServerConfig } from '../../config/server-config.ts';
import { Programs } from '../../firewall/iptables/programs.ts';
import { requireConntrack } from '../../firewall/nftables/conntrack.ts';
import { probeNftables } from '../../firewall/nftables/probe.ts';
import { fail, type Finding, ok, warn } from '../../units/finding.ts';
import { protectedPorts } from '../policy.ts';
import { faultFindings } from './fault-findings.ts';

/** Whether the firewall backend finds what it needs. */
export async function examineFirewall(config: ServerConfig): Promise<readonly Finding[]> {
  switch (config.firewall.backend) {
    case 'nftables':
      return examineNftables(config);
    case 'iptables':
      return examineIptables();
    case 'command':
      return examineCommands(config);
    case 'userspace':
      return [ok('the userspace firewall needs nothing of this machine')];
    case 'none':
      return [
        warn(
          "the firewall is 'none': every service is open to everybody",
          "set [firewall] backend to 'nftables' or 'userspace'",
        ),
      ];
  }
}

async function examineNftables(config: ServerConfig): Promise<readonly Finding[]> {
  try {
    const ports = protectedPorts(config).map(({ port }) => port);
    const version = await probeNftables(ports, config.admission);
    const findings = [ok(`${version} takes our table`)];
    if (!config.policy.cutOnRevoke) return findings;
    await requireConntrack();
    return [...findings, ok('conntrack is there to cut the connections of revoked peers')];
  } catch (fault) {
    return faultFindings(fault);
  }
}

async function examineIptables(): Promise<readonly Finding[]> {
  try {
    await new Programs().require();
    return [ok('iptables, ip6tables and ipset are there')];
  } catch (fault) {
    return faultFindings(fault);
  }
}

async function examineCommands({ firewall, fwknop }: ServerConfig): Promise<readonly Finding[]> {
  const { open, close } = firewall.command;
  const commands = [open, close, ...fwknop.commands.values()];
  const programs = [...new Set(commands.map(([program = '']) => program))];
  const looks = programs.map(async (program) =>
    (await isRunnable(program))
      ? ok(`firewall command ${program} can be run`)
      : fail(`firewall command ${program} cannot be run`, 'see [firewall.command] in hknock.toml'),
  );
  return Promise.all(looks);
}

async function isRunnable(program: string): Promise<boolean> {
  const folders = program.includes('/') ? ['.'] : (process.env['PATH'] ?? '').split(delimiter);
  const looks = folders.map((folder) => access(resolve(folder, program), constants.X_OK));
  return (await Promise.allSettled(looks)).some(({ status }) => status === 'fulfilled');
}
