import { readFileSync, writeFileSync } from 'node:fs';
import { addService } from '../../src/config/add-service.ts';
import { initServerFolder } from '../../src/config/init.ts';
import { enrolPeer } from '../../src/config/server-folder.ts';
import { askServer } from '../../src/server/control-client.ts';
import { writeProfileFile } from '../../src/store/profile-file.ts';
import { ProfileStore } from '../../src/store/profile-store.ts';
import { renameProfile } from '../../src/store/profile.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { parseServicePort } from '../../src/units/network.ts';
import { parseDuration } from '../../src/units/time.ts';
import { type Daemon, Machine } from './machine.ts';
import { cleanUp, type Owner } from './netns.ts';
import { startService } from './service.ts';
import { type Topology, type TopologyOptions, addresses, natTopology } from './topology.ts';

export interface DeploymentOptions extends TopologyOptions {
  /** Names and addresses in the client's profile; the server's first IPv4 address if not said. */
  readonly hosts?: readonly string[];
  /** How long a grant waits; 20 s if not said, longer than any test takes to look. */
  readonly ttl?: string;
  /** What the client may open; `web` if not said. */
  readonly services?: string;
  /** Texts of the files of sequence mode's schemes, by name; they are turned on. */
  readonly schemes?: Readonly<Record<string, string>>;
  /** Changes the text of the new `hknock.toml`. */
  readonly configure?: (text: string) => string;
}

/** hknock on the machines of a topology, as the README would have it done, with a service behind it. */
export interface Deployment {
  readonly topology: Topology;
  readonly server: Machine;
  readonly client: Machine;
  readonly neighbour: Machine;
  readonly daemon: Daemon;
}

const entropy = createSystemEntropy();

/** The service's TCP port. */
export const servicePort = 8080;

/** What of `hknock knock --json` tests look at. */
export interface Knocked {
  readonly granted: boolean;
  readonly reason?: string;
  readonly server: string;
  readonly observedAddress: string;
  readonly claimedAddress: string;
  readonly behindNat: boolean;
  readonly admission: string;
  readonly admissionPort?: number;
  readonly expiresAt: string;
  readonly elapsedMs: number;
  readonly grant: string;
}

/**
 * Builds the networks, starts service and server, and enrols the peer `alice` on the client. All ends with the test. What the
 * commands `init`, `service add`, `peer add` and `import` do is done without starting a program for each: a third of a second each.
 */
export async function deploy(t: Owner, options: DeploymentOptions = {}): Promise<Deployment> {
  const machines = await inhabit(t, options);
  const { server, client } = machines;
  await startService(server, servicePort);
  await furnish(server, options);
  await addPeer(server, client, { peer: 'alice', services: options.services ?? 'web' });
  return { ...machines, daemon: await server.serve() };
}

/** Makes the folder of a server with the service `web`, and no peers. */
export async function furnish(
  server: Machine,
  options: Omit<DeploymentOptions, keyof TopologyOptions | 'services'> = {},
): Promise<void> {
  await initServerFolder(folderOf(server), { entropy });
  await addService(folderOf(server), {
    name: parseServiceName('web'),
    ports: [parseServicePort(`tcp/${String(servicePort)}`)],
    ttlMs: parseDuration(options.ttl ?? '20s'),
  });
  configure(server, options);
  addSchemes(server, options.schemes ?? {});
}

/** Puts a machine in each place of a new topology. */
export async function inhabit(
  t: Owner,
  options: TopologyOptions = {},
): Promise<Omit<Deployment, 'daemon'>> {
  const topology = await natTopology(options);
  cleanUp(t, () => topology.remove());
  const live = (place: keyof Omit<Topology, 'remove'>): Machine => {
    const machine = new Machine(topology[place]);
    cleanUp(t, () => machine.remove());
    return machine;
  };
  return { topology, server: live('server'), client: live('client'), neighbour: live('neighbour') };
}

/** Makes a peer on the running server, and hands its profile to a machine, where it is called `gate`. */
export async function enrol(
  server: Machine,
  machine: Machine,
  { peer, services }: { readonly peer: string; readonly services: string },
): Promise<void> {
  await addPeer(server, machine, { peer, services });
  await askServer(controlSocketOf(server), { method: 'POST', path: '/reload' });
}

/** The same on a server that does not run, or is told later. */
export async function addPeer(
  server: Machine,
  machine: Machine,
  { peer, services }: { readonly peer: string; readonly services: string },
): Promise<void> {
  const request = {
    name: parsePeerName(peer),
    services: services.split(',').map(parseServiceName),
    ...{ admission: null, ttlMs: null, cutOnRevoke: null, withTotp: false },
  };
  const profile = await enrolPeer(folderOf(server), request, { host: null, entropy });
  await writeProfileFile(server.path(`${peer}.toml`), profile);
  const profiles = new ProfileStore(machine.path('config/hknock'));
  await profiles.save(renameProfile(profile, 'gate'), { replace: false });
}

function controlSocketOf(server: Machine): string {
  return server.path('server/control.sock');
}

function folderOf(server: Machine): string {
  return server.path('server');
}

/** `hknock knock gate --json`, whatever comes of it. */
export async function knock(machine: Machine, ...args: readonly string[]): Promise<Knocked> {
  const all = ['knock', 'gate', ...args, '--json'];
  const { stdout } = await machine.hknock(all, { allowFailure: true });
  return JSON.parse(stdout) as Knocked;
}

/** What the running server says to `status` or `grants`. */
export function ask(server: Machine, what: 'status' | 'grants'): Promise<unknown> {
  return askServer(controlSocketOf(server), { method: 'GET', path: `/${what}` });
}

/** Changes `hknock.toml`. */
export function edit(server: Machine, change: (text: string) => string): void {
  const path = server.path('server/hknock.toml');
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  if (after === before) throw new Error('the configuration was to be changed, and was not');
  writeFileSync(path, after);
}

function addSchemes(server: Machine, schemes: Readonly<Record<string, string>>): void {
  const names = Object.keys(schemes);
  if (names.length === 0) return;
  for (const [name, text] of Object.entries(schemes)) {
    writeFileSync(server.path(`server/schemes/${name}.toml`), text, { mode: 0o600 });
  }
  edit(server, (text) => text.replace('schemes = []', `schemes = ${JSON.stringify(names)}`));
}

function configure(
  server: Machine,
  { hosts = [addresses.server], configure: change = (text) => text }: DeploymentOptions,
): void {
  edit(server, (text) =>
    change(text.replace('public_hosts = []', `public_hosts = ${JSON.stringify(hosts)}`)),
  );
}
