import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HknockError } from '../../errors/hknock-error.ts';
import type { IdentityFiles } from '../../client/identity.ts';
import { initServerFolder } from '../../config/init.ts';
import { configPath, loadServerConfig } from '../../config/load.ts';
import { schemePath } from '../../config/scheme-files.ts';
import { portsInUse } from '../../config/sequence.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import { enrolPeer } from '../../config/server-folder.ts';
import { type AuthorityHost, initAuthority, revoke } from '../../server/authority.ts';
import { issueAsPem } from '../../server/issue-files.ts';
import { PeerStore } from '../../store/peer-store.ts';
import { writeProfileFile } from '../../store/profile-file.ts';
import { createSystemClock } from '../../system/clock.ts';
import { createSystemEntropy } from '../../system/entropy.ts';
import { isPort, type Port } from '../../units/network.ts';
import { dropAllBut, type LetThrough } from '../schemes/firewall.ts';
import { type HknockServer, serveFolder } from '../schemes/hknock-server.ts';
import type { World } from '../scheme.ts';
import type { OwnConfig } from './own-folder.ts';
import { redraw } from './redraw.ts';
import { renderToml, withSettings } from './settings.ts';
import { standIns } from './stand-ins.ts';
import type { Way } from './ways.ts';

/** Certificates and lists of the laboratory are not needed for longer. */
const DAYS = 1;

const CLIENT = 'laboratory';

const entropy = createSystemEntropy();

type ServedFolder = Pick<HknockServer, 'reload' | 'endGrants' | 'counted'>;

type Identity = Required<Omit<IdentityFiles, 'passphrase'>>;

/** A copy of an operator's configuration at work in the laboratory, with one client, who may come in by one way. */
export class Copy {
  readonly way: Way;
  readonly config: ServerConfig;
  readonly #world: World;
  readonly #folder: string;
  #server: ServedFolder | null = null;

  /** Lays it in the world's own folder, and has it served. */
  static async make(own: OwnConfig, way: Way, world: World): Promise<Copy> {
    const folder = world.path('server');
    await initServerFolder(folder, { entropy });
    const document = withSettings(own.document, standIns(own, way));
    await writeFile(configPath(folder), renderToml(document));
    await layScheme(own, way, folder);
    if (own.config.certificates !== null) await layCertificates(folder, world);
    const copy = new Copy(way, await loadServerConfig(folder), world);
    if (way.peer !== null) await copy.#enrol(way.peer);
    await dropAllBut(world.network.server, doorsIn(copy.config));
    copy.#server = await serveFolder(world, folder);
    return copy;
  }

  private constructor(way: Way, config: ServerConfig, world: World) {
    this.way = way;
    this.config = config;
    this.#world = world;
    this.#folder = world.path('server');
  }

  /** The client's, where it has a secret. */
  get profile(): string {
    return this.#world.path('client.toml');
  }

  /** The client's, where it has a certificate. */
  get identity(): Identity {
    return identityIn(this.#world);
  }

  /** The file of the client's scheme, where it knocks by one. */
  get scheme(): string {
    return schemePath(this.#folder, this.way.scheme ?? '');
  }

  async revokeClient(): Promise<void> {
    const { peer } = this.way;
    if (peer !== null) await new PeerStore(this.#folder).revoke(peer.name);
    else await revoke(authorityIn(this.#folder), { name: CLIENT, crlDays: DAYS });
    await this.#server?.reload();
  }

  /** What its status has counted under a name. */
  get counted(): HknockServer['counted'] {
    return async (name, mode) => (await this.#server?.counted(name, mode)) ?? 0;
  }

  /** As if the time of all that was opened were over. */
  async endGrants(): Promise<void> {
    await this.#server?.endGrants();
  }

  // as the operator's files have it, but for the keys
  async #enrol({
    name,
    services,
    admission,
    ttlMs,
    cutOnRevoke,
    prefix,
    totp,
    fwknop,
  }: NonNullable<Way['peer']>): Promise<void> {
    const request = { name, services, admission, ttlMs, cutOnRevoke, ...(prefix && { prefix }) };
    const keys = { withTotp: totp !== null, withFwknop: fwknop !== undefined };
    const profile = await enrolPeer(this.#folder, { ...request, ...keys }, { host: null, entropy });
    const spa = (await new PeerStore(this.#folder).get(name)).fwknop;
    const known = spa && { fwknop: { ...spa, port: portOf(this.config.fwknop.listen) } };
    await writeProfileFile(this.profile, { ...profile, ...known });
  }
}

async function layScheme(
  { config, schemes }: OwnConfig,
  { scheme }: Way,
  folder: string,
): Promise<void> {
  const file = schemes.get(scheme ?? '');
  if (scheme === null || file === undefined) return;
  const taken = new Set(portsInUse(config).map(({ port }) => port));
  const text = renderToml(withSettings(file, redraw(file, { taken, entropy })));
  await writeFile(schemePath(folder, scheme), text, { mode: 0o600 });
}

async function layCertificates(folder: string, world: World): Promise<void> {
  const host = authorityIn(folder);
  const { certificate, serverCertificate } = identityIn(world);
  const { services } = await loadServerConfig(folder);
  await initAuthority(host, { name: 'lab', crlDays: DAYS });
  const server = { name: 'server', authorised: null, days: DAYS, path: serverCertificate };
  await issueAsPem(host, server);
  const authorised = [...services.values()].flatMap(({ ports }) => ports);
  await issueAsPem(host, { name: CLIENT, authorised, days: DAYS, path: certificate });
}

/** What the ordinary firewall of this host lets through. */
function doorsIn(config: ServerConfig): LetThrough {
  const inUse = portsInUse(config);
  const of = (wanted: string): readonly number[] => [
    ...new Set(inUse.filter(({ protocol }) => protocol === wanted).map(({ port }) => port)),
  ];
  return { udp: of('udp'), tcp: of('tcp') };
}

/** The port at which to knock. */
export function portOf([first]: ServerConfig['listen']): Port {
  const port = first?.port ?? 0;
  if (isPort(port)) return port;
  throw new HknockError('config', 'there is no port to knock at');
}

function authorityIn(directory: string): AuthorityHost {
  return { directory, clock: createSystemClock(), entropy };
}

function identityIn({ path }: World): Identity {
  return {
    certificate: path('client.pem'),
    privateKey: path('client.key'),
    serverCertificate: join(path('server'), 'server.pem'),
  };
}
