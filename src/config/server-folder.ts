import { stat } from 'node:fs/promises';
import { HknockError } from '../errors/hknock-error.ts';
import type { Entropy } from '../host/entropy.ts';
import { parseHost } from '../store/host-name.ts';
import type { PeerRecord } from '../store/peer-file.ts';
import { type PeerRequest, PeerStore } from '../store/peer-store.ts';
import { DEFAULT_PORT, type Profile } from '../store/profile.ts';
import { readResponderKey } from '../store/responder-key.ts';
import { isPort, type Port } from '../units/network.ts';
import { configPath, loadServerConfig, type Overrides } from './load.ts';
import { loadSchemes } from './scheme-files.ts';
import type { SchemeFile } from './schemes/kind.ts';
import type { ServerConfig } from './server-config.ts';

/** Everything that a server's folder says. */
export interface ServerFolder {
  readonly config: ServerConfig;
  /** 16 bytes */
  readonly responderId: Uint8Array;
  readonly peers: readonly PeerRecord[];
  /** The schemes of sequence mode that are on, but for TOTP. */
  readonly schemes: readonly SchemeFile[];
}

/**
 * Reads all of a server's folder.
 * @throws {HknockError} `config` when a file is missing, wrong or open to others, when a peer names a service that is
 * not there, or when root is to run commands that are not root's
 */
export async function loadServerFolder(
  directory: string,
  overrides: Overrides = {},
): Promise<ServerFolder> {
  const config = await loadServerConfig(directory, overrides);
  if (config.firewall.backend === 'command') await refuseForeignCommands(directory);
  const responderId = await readResponderKey(directory);
  const peers = await new PeerStore(directory).list(new Set(config.services.keys()));
  return { config, responderId, peers, schemes: await loadSchemes(config) };
}

// whoever could write the commands would become root by them
async function refuseForeignCommands(directory: string): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  for (const path of [directory, configPath(directory)]) {
    const { uid } = await stat(path);
    if (uid === 0) continue;
    throw new HknockError(
      'config',
      `root runs no commands that another user can change: ${path} belongs to uid ${String(uid)}`,
      { hint: `start the server as that user, or: chown root ${path}` },
    );
  }
}

/**
 * Makes a peer and gives its profile. Nothing is written unless all that the profile needs is known.
 * @param host how clients reach the server; null takes what the configuration says
 * @throws {HknockError} `usage` when there is a peer of that name, no such service, or no host; as {@link loadServerConfig}
 */
export async function enrolPeer(
  directory: string,
  request: PeerRequest,
  { host, entropy }: { readonly host: string | null; readonly entropy: Entropy },
): Promise<Profile> {
  const config = await loadServerConfig(directory);
  const responderId = await readResponderKey(directory);
  const server = { config, responderId, ...reachOf(config, host) };
  servicesOf(config, request);
  return toProfile(server, await new PeerStore(directory).add(request, entropy));
}

/**
 * Gives a peer new keys and gives its new profile.
 * @param host as for {@link enrolPeer}
 * @param deliver is given the new profile before the old one is worthless; when it fails nothing has changed
 * @throws {HknockError} `usage` when there is no such peer or no host; as {@link loadServerConfig}
 */
export async function reenrolPeer(
  directory: string,
  name: PeerRecord['name'],
  {
    host,
    entropy,
    deliver = () => Promise.resolve(),
  }: {
    readonly host: string | null;
    readonly entropy: Entropy;
    readonly deliver?: (profile: Profile) => Promise<void>;
  },
): Promise<Profile> {
  const config = await loadServerConfig(directory);
  const responderId = await readResponderKey(directory);
  const server = { config, responderId, ...reachOf(config, host) };
  const peers = new PeerStore(directory);
  servicesOf(config, await peers.get(name));
  const peer = await peers.rotate(name, entropy, (next) => deliver(toProfile(server, next)));
  return toProfile(server, peer);
}

/** How clients come to a server. */
export interface Reach {
  readonly hosts: readonly [string, ...string[]];
  readonly port: Port;
}

/**
 * Where clients knock.
 * @param host null takes what the configuration says
 * @throws {HknockError} `usage` when nobody says it
 */
export function reachOf(config: ServerConfig, host: string | null): Reach {
  const port = config.listen[0]?.port;
  const hosts = publicHosts(config, host);
  return { hosts, port: port !== undefined && isPort(port) ? port : DEFAULT_PORT };
}

interface Server extends Reach {
  readonly config: ServerConfig;
  readonly responderId: Uint8Array;
}

function toProfile({ config, responderId, hosts, port }: Server, peer: PeerRecord): Profile {
  return {
    name: hosts[0],
    hosts,
    port,
    responderId,
    peer: peer.name,
    tag: peer.tag,
    secret: peer.secret,
    services: servicesOf(config, peer),
    ...(peer.totp && { sequence: { shape: config.sequence.totp, secret: peer.totp } }),
    expect: [],
  };
}

function publicHosts(config: ServerConfig, host: string | null): readonly [string, ...string[]] {
  const [first, ...others] = host === null ? config.publicHosts : [parseHost(host)];
  if (typeof first === 'string') return [first, ...others.filter((each) => each !== null)];
  throw host === null
    ? new HknockError('usage', 'nobody says how clients reach this server', {
        hint: 'name it with --host, or put it in public_hosts in hknock.toml',
      })
    : new HknockError('usage', `'${host}' is no host name or address`);
}

/**
 * The services that somebody is to have, with their ports.
 * @throws {HknockError} `usage` when there is none such
 */
export function servicesOf(
  { services }: Pick<ServerConfig, 'services'>,
  wanted: Pick<PeerRecord, 'services'>,
): Profile['services'] {
  return new Map(
    wanted.services.map((name) => {
      const service = services.get(name);
      if (service !== undefined) return [name, service.ports];
      throw new HknockError('usage', `there is no service '${name}'`, {
        hint: `there are: ${[...services.keys()].join(', ') || 'none; hknock service add NAME tcp/PORT'}`,
      });
    }),
  );
}
