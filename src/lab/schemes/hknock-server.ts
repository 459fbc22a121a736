import { cp, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { addService } from '../../config/add-service.ts';
import { initServerFolder } from '../../config/init.ts';
import { configPath } from '../../config/load.ts';
import { enrolPeer } from '../../config/server-folder.ts';
import type { Grant } from '../../grants/live-grants.ts';
import { askServer, type ControlRequest } from '../../server/control-client.ts';
import type { ServerStatus } from '../../server/server-status.ts';
import { PeerStore } from '../../store/peer-store.ts';
import type { Profile } from '../../store/profile.ts';
import { writeProfileFile } from '../../store/profile-file.ts';
import { createSystemEntropy } from '../../system/entropy.ts';
import type { Admission } from '../../units/admission.ts';
import { parsePeerName, parseServiceName, type PeerName } from '../../units/names.ts';
import { parsePort, parseServicePort } from '../../units/network.ts';
import { parseDuration } from '../../units/time.ts';
import { addresses, type Network } from '../network.ts';
import { type Fleet, SERVICE_PORT, type World } from '../scheme.ts';
import { startHost } from '../start-host.ts';
import { Daemon } from './daemon.ts';
import { dropAllButKnocks, type LetThrough } from './firewall.ts';

export interface HknockOptions {
  /** What the service accepts; grants by sequences have it too. */
  readonly admission: Admission;
  /** Changes the text of the new `hknock.toml`. */
  readonly configure?: (text: string) => string;
  readonly totp?: boolean;
  readonly fwknop?: boolean;
  /** What the ordinary firewall lets through beside the service's port and hknock's. */
  readonly letThrough?: Partial<LetThrough>;
  /** Makes what the configuration names, once the folder is there. */
  readonly prepare?: (folder: string) => Promise<void>;
}

/** hknock on the server, with the service `web` and the peer `alice`. */
export interface HknockServer extends Served {
  readonly folder: string;
  /** Alice's. */
  readonly profile: string;
  /** Has the server know another client, too; its profile. */
  readonly enrolAnother: (name: string) => Promise<string>;
  readonly revokeAlice: () => Promise<void>;
  readonly fleet: Fleet;
}

/** hknock, wherever it serves. */
export interface Served {
  readonly reload: () => Promise<void>;
  readonly endGrants: () => Promise<void>;
  readonly restart: () => Promise<void>;
  /** What its status has counted under a name: of what one mode heard, or of what it dropped at its own port. */
  readonly counted: (name: string, mode?: string) => Promise<number>;
}

/** That of fwknopd. */
export const FWKNOP_PORT = parsePort('62201');

/** Where the gate is, when there is one. */
export const GATE_PORT = 62_203;

/** Longer than any attack takes. */
const GRANT_LIFE = '20s';

const alice = parsePeerName('alice');
const web = parseServiceName('web');
const entropy = createSystemEntropy();

/** Does what the README has an operator do, and waits until hknock serves. */
export async function serveHknock(world: World, options: HknockOptions): Promise<HknockServer> {
  const folder = world.path('server');
  await dropAllButKnocks(world.network.server, letThroughOf(options));
  await initServerFolder(folder, { entropy });
  await addService(folder, {
    name: web,
    ports: [parseServicePort(`tcp/${String(SERVICE_PORT)}`)],
    admission: options.admission,
    ttlMs: parseDuration(GRANT_LIFE),
  });
  await configure(folder, options);
  await options.prepare?.(folder);
  const enrol = async (name: PeerName): Promise<string> => {
    const file = world.path(`${name}.toml`);
    await writeProfileFile(file, await newProfile(folder, name, options));
    return file;
  };
  const profile = await enrol(alice);
  const served = await serveFolder(world, folder);
  const revokeAlice = async (): Promise<void> => {
    await new PeerStore(folder).revoke(alice);
    await served.reload();
  };
  const enrolAnother = async (name: string): Promise<string> => {
    const file = await enrol(parsePeerName(name));
    await served.reload();
    return file;
  };
  const fleet = fleetOf(served, () => serveTwin(world, folder, options));
  return { folder, profile, enrolAnother, revokeAlice, fleet, ...served };
}

async function newProfile(
  folder: string,
  name: PeerName,
  { totp = false, fwknop: withFwknop = false }: HknockOptions,
): Promise<Profile> {
  const request = { name, services: [web], admission: null, ttlMs: null, cutOnRevoke: null };
  const profile = await enrolPeer(
    folder,
    { ...request, withTotp: totp, withFwknop },
    { host: null, entropy },
  );
  const { fwknop } = await new PeerStore(folder).get(name);
  return { ...profile, ...(fwknop && { fwknop: { ...fwknop, port: FWKNOP_PORT } }) };
}

function letThroughOf({ admission, letThrough }: HknockOptions): Partial<LetThrough> {
  const gate = admission === 'gate' ? { tcp: [GATE_PORT] } : {};
  return { ...gate, ...letThrough };
}

function fleetOf(server: Served, serveTwin: () => Promise<Served>): Fleet {
  let twin: Served | null = null;
  return {
    restart: server.restart,
    startTwin: async () => {
      twin = await serveTwin();
    },
    refused: async () => [await server.counted('cookie'), (await twin?.counted('cookie')) ?? 0],
  };
}

/** The second server, with a service too. */
async function serveTwin(world: World, folder: string, options: HknockOptions): Promise<Served> {
  const copy = world.path('twin');
  const place = await world.network.addTwin();
  const openService = async (): Promise<void> => {
    const host = await startHost(place);
    await host.ask('serve', SERVICE_PORT);
  };
  const [served] = await Promise.all([
    cp(folder, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') }).then(() =>
      serveFolder({ network: { server: place } }, copy),
    ),
    openService(),
    dropAllButKnocks(place, letThroughOf(options)),
  ]);
  return served;
}

/** The text of a new `hknock.toml` with one of the ways to knock turned on. */
export function turnOn(section: string): (text: string) => string {
  return (text) => {
    const at = text.indexOf(`\n[${section}]\n`);
    return text.slice(0, at) + text.slice(at).replace('enabled = false', 'enabled = true');
  };
}

async function configure(folder: string, options: HknockOptions): Promise<void> {
  const text = await readFile(configPath(folder), 'utf8');
  const named = text.replace('public_hosts = []', `public_hosts = ["${addresses.server}"]`);
  const gated = options.admission === 'gate' ? withGate(named) : named;
  await writeFile(configPath(folder), options.configure?.(gated) ?? gated);
}

function withGate(text: string): string {
  return text.replace('listen = []', `listen = ["0.0.0.0:${String(GATE_PORT)}"]`);
}

/** Has hknock serve from a folder, and waits until it does; gives what it can be told then. */
export async function serveFolder(
  { network }: { readonly network: Pick<Network, 'server'> },
  folder: string,
): Promise<Served> {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const commandLine = fileURLToPath(new URL(`../../cli/main.${suffix}`, import.meta.url));
  const argv = [process.execPath, ...process.execArgv, commandLine, 'serve', '--dir', folder];
  const start = async (): Promise<Daemon> => {
    const started = network.server.spawn(argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const daemon = new Daemon(started);
    await daemon.writes(' info serving');
    return daemon;
  };
  let daemon = await start();
  const ask = (method: ControlRequest['method'], path: string): Promise<unknown> =>
    askServer(`${folder}/control.sock`, { method, path });
  return {
    reload: async () => {
      await ask('POST', '/reload');
    },
    endGrants: async () => {
      const grants = (await ask('GET', '/grants')) as readonly Grant[];
      await Promise.all(grants.map(({ id }) => ask('DELETE', `/grants/${id}`)));
    },
    restart: async () => {
      await daemon.end();
      daemon = await start();
    },
    counted: async (name, mode) => {
      const { knocks, modes } = (await ask('GET', '/status')) as ServerStatus;
      const counts: Readonly<Record<string, number>> | undefined =
        mode === undefined ? knocks.drops : modes[mode];
      return counts?.[name] ?? 0;
    },
  };
}
