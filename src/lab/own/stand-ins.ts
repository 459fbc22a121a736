import { portsInUse } from '../../config/sequence.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import { addresses } from '../network.ts';
import { SERVICE_PORT } from '../scheme.ts';
import type { OwnConfig } from './own-folder.ts';
import type { Setting, TomlValue } from './settings.ts';
import type { Way } from './ways.ts';

/** What the laboratory has in place of what it cannot have: where things are, who they belong to, and other ways' watched ports. */
export function standIns({ config, document }: OwnConfig, way: Way): readonly Setting[] {
  const { listen, gate, fwknop, sknock, certificates, firewall, services } = config;
  const set = (key: string, value: TomlValue | null): Setting => ({
    path: key.split('.') as [string],
    value,
  });
  return [
    set('listen', everywhere(listen)),
    set('public_hosts', [addresses.server]),
    set('server', null),
    ...(firewall.backend === 'command' ? [set('firewall.backend', 'nftables')] : []),
    set('firewall.command', null),
    set('firewall.userspace', { listen: ['0.0.0.0'] }),
    set('gate.listen', everywhere(gate.listen)),
    set('fwknop.commands', null),
    set('fwknop.listen', everywhere(fwknop.listen)),
    ...(sknock === null ? [] : [set('sknock.listen', everywhere(sknock.listen))]),
    set('silent.addresses', null),
    set('sequence.schemes', schemesOf(way)),
    set('sequence.source', 'nflog'),
    set('log', null),
    set('control', null),
    ...(certificates === null ? [] : ownAuthority(document['certificates'] ?? {})),
    ...[...services.keys()].flatMap((name) => servedHere(config, name)),
  ];
}

/** Where the service is that the gate and the forwarder lead to. */
export function innerPort(config: ServerConfig, { port }: Pick<Way, 'port'>): number {
  if (config.firewall.backend !== 'userspace') return port.port;
  const taken = new Set(portsInUse(config).map((each) => each.port));
  let free = SERVICE_PORT;
  while (taken.has(free)) free++;
  return free;
}

function servedHere(config: ServerConfig, name: string): readonly Setting[] {
  const { ports = [] } = [...config.services.values()].find((each) => each.name === name) ?? {};
  const inner = ports.map((port) => `127.0.0.1:${String(innerPort(config, { port }))}`);
  const isForwarded = config.firewall.backend === 'userspace';
  return [
    { path: ['services', name, 'upstream'], value: isForwarded ? inner : null },
    { path: ['services', name, 'proxy_protocol'], value: null },
  ];
}

function ownAuthority(certificates: TomlValue): readonly Setting[] {
  const hasList = typeof certificates === 'object' && 'crl' in certificates;
  return [
    { path: ['certificates', 'ca'], value: 'ca/ca.pem' },
    { path: ['certificates', 'key'], value: 'server.key' },
    ...(hasList ? [{ path: ['certificates', 'crl'], value: 'ca/crl.pem' } as const] : []),
    { path: ['certificates', 'threads'], value: 1 },
  ];
}

function schemesOf({ mode, scheme }: Way): readonly string[] {
  if (mode === 'totp') return ['totp'];
  return scheme === null ? [] : [scheme];
}

function everywhere(endpoints: ServerConfig['listen']): readonly string[] {
  return endpoints.slice(0, 1).map(({ port }) => `0.0.0.0:${String(port)}`);
}

/** A sentence for each thing that is not in the laboratory as the operator has it, and matters to who gets in. */
export function replaced({ config, schemes }: OwnConfig): readonly string[] {
  const { firewall, certificates, sequence } = config;
  const isWatching = sequence.hasTotp || schemes.size > 0;
  return [
    'All secrets are drawn anew: none of yours is used. Addresses, upstreams and the services themselves are those of the laboratory.',
    'In place of firewall rules of your own others drop whatever hknock does not need.',
    ...(firewall.backend === 'command'
      ? [
          'The firewall is "nftables", with the admissions that your commands can keep to: they are not run.',
        ]
      : []),
    ...(certificates === null
      ? []
      : ['Certificates are of an authority that the laboratory makes.']),
    ...(isWatching && sequence.source === 'log'
      ? ['Knocks by sequences are captured by "nflog" in place of your log.']
      : []),
    ...(isWatching ? ['Schemes of sequence mode are on one at a time.'] : []),
  ];
}

/** A sentence for each way in that the laboratory has no client for. */
export function unattacked({ config, peers }: OwnConfig): readonly string[] {
  const { services, silent } = config;
  const datagrams = [...services.values()].filter(({ ports }) =>
    ports.every(({ protocol }) => protocol === 'udp'),
  );
  const broad = [...services.values()].filter(
    ({ name, prefix }) =>
      prefix === true && peers.some((peer) => peer.prefix === true && peer.services.includes(name)),
  );
  const list = (named: readonly { readonly name: string }[]): string =>
    named.map(({ name }) => name).join(', ');
  return [
    ...(datagrams.length === 0
      ? []
      : [`${list(datagrams)}: UDP alone, and the attackers connect over TCP`]),
    ...(broad.length === 0
      ? []
      : [`${list(broad)}: grants for a prefix, which let in whoever has an address in it`]),
    ...(silent.enabled && silent.hasTcpStealth
      ? ['the numbers of TCP Stealth, which never change: whoever has seen one gets in by it later']
      : []),
  ];
}
