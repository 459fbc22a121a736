import { join, resolve } from 'node:path';
import { readPrivateFile, refuseOpenFolder } from '../store/private-file.ts';
import { decodeToml } from '../store/toml/fields.ts';
import { reportTroubles } from '../store/toml/report.ts';
import type { Trouble } from '../store/toml/trouble.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { formatServicePort } from '../units/network.ts';
import { type ConfigDocument, configSchema } from './schema.ts';
import { sequenceTroubles, toSequence } from './sequence.ts';
import { silentTroubles, toSilent } from './silent.ts';
import type {
  CertificatesConfig,
  FirewallBackend,
  FirewallConfig,
  FwknopConfig,
  LimitsConfig,
  ServerConfig,
  ServiceConfig,
  SknockConfig,
} from './server-config.ts';

/** Longest path of a UNIX socket in bytes (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** What the command line says in place of the file. */
export interface Overrides {
  readonly backend?: FirewallBackend;
}

/** The file that configures the server in a folder. */
export function configPath(directory: string): string {
  return join(directory, 'hknock.toml');
}

/**
 * Reads a server's configuration.
 * @throws {HknockError} `config` with every trouble's file, line and key, or when others may write to the file
 */
export async function loadServerConfig(
  directory: string,
  overrides: Overrides = {},
): Promise<ServerConfig> {
  return decodeConfig(await readConfigText(directory), directory, overrides);
}

/**
 * The text of a server's configuration. Others may read it: it holds no secret.
 * @throws {HknockError} `config` when it is missing or others may write to it or its folder
 */
export async function readConfigText(directory: string): Promise<string> {
  const missing = `hknock init --dir ${directory}`;
  await refuseOpenFolder(directory, missing);
  return readPrivateFile(configPath(directory), { content: 'trusted', missing });
}

/**
 * Reads the text of a configuration.
 * @throws {HknockError} `config` with every trouble's file, line and key
 */
export function decodeConfig(
  text: string,
  directory: string,
  { backend }: Overrides = {},
): ServerConfig {
  const source = { file: configPath(directory), code: 'config' } as const;
  const { value, root } = decodeToml<ConfigDocument>(text, configSchema, source);
  const config = toServerConfig(value, resolve(directory), backend);
  const troubles = [
    ...portTroubles(config),
    ...sknockTroubles(config),
    ...upstreamTroubles(config),
    ...gateTroubles(config),
    ...commandTroubles(config),
    ...socketTroubles(config),
    ...sequenceTroubles(config),
    ...silentTroubles(config),
  ];
  if (troubles.length > 0) reportTroubles(root, troubles, source);
  return config;
}

function toServerConfig(
  document: ConfigDocument,
  directory: string,
  backend: FirewallBackend = document.firewall.backend,
): ServerConfig {
  const { policy } = document;
  return {
    directory,
    listen: document.listen,
    publicHosts: document.public_hosts,
    server: { workers: document.server.workers },
    firewall: toFirewall(document.firewall, backend),
    policy: {
      admission: policy.admission,
      ttlMs: policy.ttl,
      flowKeepMs: policy.flow_keep,
      cutOnRevoke: policy.cut_on_revoke,
    },
    admission: {
      ports: document.admission.port_range,
      portGuesses: document.admission.port_guesses,
    },
    services: toServices(document.services),
    limits: toLimits(document.limits),
    gate: { listen: document.gate.listen, anyAddress: document.gate.any_address },
    sequence: toSequence(document.sequence, directory),
    fwknop: toFwknop(document.fwknop),
    silent: toSilent(document.silent, document.public_hosts),
    logLevel: document.log.level,
    controlSocket: resolve(directory, document.control.path),
    certificates: toCertificates(document.certificates, directory),
    sknock: toSknock(document.sknock),
  };
}

function toCertificates(
  document: ConfigDocument['certificates'],
  directory: string,
): CertificatesConfig | null {
  if (document === undefined) return null;
  const { ca, key, crl = null, crl_refresh: crlRefreshMs, on_stale: onStale } = document;
  return {
    ca: resolve(directory, ca),
    key: resolve(directory, key),
    crl: crl === null || isWebAddress(crl) ? crl : resolve(directory, crl),
    crlRefreshMs,
    onStale,
    threads: document.threads ?? null,
  };
}

/** Whether something is fetched over HTTP, and no file. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

function toSknock(document: ConfigDocument['sknock']): SknockConfig | null {
  if (document === undefined) return null;
  const { window: windowMs, check_address: checkAddress, min_frame: minFrameLength } = document;
  const { listen, range } = document;
  return { listen, range, windowMs, checkAddress, minFrameLength };
}

function toFirewall(
  { on_stop: onStop, shield, userspace, command }: ConfigDocument['firewall'],
  backend: FirewallBackend,
): FirewallConfig {
  const { open, close, time_limit: timeLimitMs } = command;
  return { backend, onStop, shield, userspace, command: { open, close, timeLimitMs } };
}

function toServices(document: ConfigDocument['services']): ServerConfig['services'] {
  return new Map(
    Object.entries(document).map(([key, service]): [ServiceName, ServiceConfig] => {
      const name = parseServiceName(key);
      const { ports, upstream = null, admission = null, proxy_protocol } = service;
      const { ttl = null, flow_keep = null, prefix } = service;
      return [
        name,
        {
          name,
          ports,
          upstream,
          admission,
          ttlMs: ttl,
          flowKeepMs: flow_keep,
          proxyProtocol: proxy_protocol,
          ...(prefix && { prefix }),
        },
      ];
    }),
  );
}

function toFwknop(document: ConfigDocument['fwknop']): FwknopConfig {
  const { enabled, listen, max_age: maxAgeMs, accept_any_source: acceptAnySource } = document;
  const commands = new Map(Object.entries(document.commands));
  return { enabled, listen, maxAgeMs, acceptAnySource, commands };
}

function toLimits(document: ConfigDocument['limits']): LimitsConfig {
  return {
    peerKnocks: { perSecond: document.peer_knocks_per_second, burst: document.peer_knocks_burst },
    sourceKnocks: {
      perSecond: document.source_knocks_per_second,
      burst: document.source_knocks_burst,
    },
    grantsPerPeer: document.grants_per_peer,
    grantsPerSource: document.grants_per_source,
    grants: document.grants,
    replayRecords: document.replay_records,
  };
}

// A port that two services share would be open to the peers of both, whatever either says. And on a knock port that
// is shut to all who have no grant, nobody could get one.
function portTroubles(config: ServerConfig): readonly Trouble[] {
  const { listen, gate, fwknop, sknock, services } = config;
  const holders = new Map<string, string>([
    ...listen.map(({ port }) => [`udp/${String(port)}`, 'listen'] as const),
    ...(fwknop.enabled ? fwknop.listen : []).map(
      ({ port }) => [`udp/${String(port)}`, 'fwknop.listen'] as const,
    ),
    ...(sknock?.listen ?? []).map(({ port }) => [`udp/${String(port)}`, 'sknock.listen'] as const),
    ...gate.listen.map(({ port }) => [`tcp/${String(port)}`, 'gate.listen'] as const),
  ]);
  const troubles: Trouble[] = [];
  for (const { name, ports } of services.values()) {
    ports.map(formatServicePort).forEach((port, at) => {
      const holder = holders.get(port);
      const path = ['services', name, 'ports', at];
      if (holder !== undefined)
        troubles.push({ path, expected: `a port that is not in '${holder}'` });
      holders.set(port, name);
    });
  }
  return troubles;
}

// the Grant names one port for whichever address of ours the client uses
function gateTroubles({ gate: { listen } }: ServerConfig): readonly Trouble[] {
  const [first] = listen;
  return listen.flatMap(({ port }, at): readonly Trouble[] =>
    port === first?.port
      ? []
      : [{ path: ['gate', 'listen', at], expected: 'the port of the first' }],
  );
}

function sknockTroubles({
  listen,
  fwknop,
  sknock,
  certificates,
}: ServerConfig): readonly Trouble[] {
  if (sknock === null) return [];
  const troubles: Trouble[] = [];
  if (certificates === null)
    troubles.push({ path: ['certificates'], expected: '[certificates], which [sknock] needs' });
  const others = [...listen, ...(fwknop.enabled ? fwknop.listen : [])];
  const taken = new Set(others.map(({ port }) => port));
  sknock.listen.forEach(({ port }, at) => {
    if (!taken.has(port)) return;
    troubles.push({
      path: ['sknock', 'listen', at],
      expected: 'a port that has no other use here',
    });
  });
  return troubles;
}

function upstreamTroubles({ services, firewall }: ServerConfig): readonly Trouble[] {
  return [...services.values()]
    .filter(({ ports, upstream }) =>
      upstream === null ? firewall.backend === 'userspace' : upstream.length !== ports.length,
    )
    .map(({ name, ports }) => ({
      path: ['services', name, 'upstream'],
      expected: `${String(ports.length)} addresses with port, one for each of its ports`,
    }));
}

function commandTroubles({
  firewall: { backend, command },
  fwknop,
}: ServerConfig): readonly Trouble[] {
  if (backend !== 'command') {
    const expected = 'no commands: only with the firewall backend "command" are there any';
    return fwknop.commands.size === 0 ? [] : [{ path: ['fwknop', 'commands'], expected }];
  }
  return (['open', 'close'] as const)
    .filter((key) => (command[key][0] ?? '') === '')
    .map((key) => ({
      path: ['firewall', 'command', key],
      expected: 'a program and its arguments',
    }));
}

function socketTroubles({ controlSocket }: ServerConfig): readonly Trouble[] {
  const length = Buffer.byteLength(controlSocket);
  if (length <= MAX_SOCKET_PATH) return [];
  const expected = `a path that takes at most ${String(MAX_SOCKET_PATH)} bytes in full (this takes ${String(length)})`;
  return [{ path: ['control', 'path'], expected }];
}
