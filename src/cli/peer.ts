import type { Command } from 'commander';
import type { PeerRecord } from '../store/peer-file.ts';
import type { Profile } from '../store/profile.ts';
import type { Admission } from '../units/admission.ts';
import {
  parsePeerName,
  parseServiceName,
  type PeerName,
  type ServiceName,
} from '../units/names.ts';
import { type DurationMs, formatDuration, parseDuration } from '../units/time.ts';
import {
  admissionOption,
  argument,
  commaSeparated,
  directoryOf,
  dirOption,
  jsonOption,
} from './options.ts';
import { formatTable, print, printJson, tell } from './terminal.ts';

interface ProfileOptions {
  readonly dir?: string;
  readonly host?: string;
  readonly out?: string;
}

interface AddOptions extends ProfileOptions {
  readonly service: readonly ServiceName[];
  readonly admission?: Admission;
  readonly ttl?: DurationMs;
  readonly totp?: true;
  readonly fwknop?: true;
  readonly prefix?: true;
}

interface ShowOptions {
  readonly dir?: string;
  readonly json?: true;
}

/** `hknock peer add|list|show|revoke|rotate` */
export function addPeer(program: Command): void {
  const peer = program.command('peer').description('Says who may knock.');
  withProfile(peer.command('add'))
    .description("Makes a peer and the profile that the person imports with 'hknock import'.")
    .requiredOption('--service <names>', 'what it may open', commaSeparated(parseServiceName))
    .addOption(admissionOption('the widest admission accepted from it'))
    .option(
      '--ttl <duration>',
      'how long its grants wait for a connection',
      argument(parseDuration),
    )
    .option('--prefix', 'let it in from its whole /24 (IPv6: /64), by services that allow it too')
    .option('--totp', 'let it knock by sequences too, and print the URI for an authenticator')
    .option('--fwknop', 'let it knock as a client of fwknop too, and print the stanza for its file')
    .addHelpText(
      'after',
      '\nExample:\n  hknock peer add alice --service ssh --host gate.example.org',
    )
    .action(add);
  withProfile(peer.command('rotate'))
    .description('Gives a peer new keys; its old profile is worthless at once.')
    .addHelpText('after', '\nExample:\n  hknock peer rotate alice --out alice-new.profile.toml')
    .action(rotate);
  withName(peer.command('revoke'))
    .description('Takes a peer away with its grants; a running server follows at once.')
    .addHelpText('after', '\nExample:\n  hknock peer revoke alice')
    .action(revoke);
  withName(peer.command('show'))
    .description('Shows one peer. Shows no secrets.')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  hknock peer show alice --json')
    .action(show);
  peer
    .command('list')
    .description('Lists the peers. Shows no secrets.')
    .addOption(jsonOption())
    .addOption(dirOption())
    .addHelpText('after', '\nExample:\n  hknock peer list --json')
    .action(list);
}

function withName(command: Command): Command {
  return command
    .argument('<name>', 'what the peer is called', argument(parsePeerName))
    .addOption(dirOption());
}

function withProfile(command: Command): Command {
  return withName(command)
    .option('--host <public>', 'how the person reaches this server')
    .option('--out <file>', 'where to write the profile (default: NAME.profile.toml)');
}

async function add(name: PeerName, options: AddOptions): Promise<void> {
  const { PeerStore } = await import('../store/peer-store.ts');
  const { enrolPeer } = await import('../config/server-folder.ts');
  const { writeProfileFile } = await import('../store/profile-file.ts');
  const { service: services, admission = null, ttl: ttlMs = null, totp = false } = options;
  const directory = directoryOf(options);
  const { prefix, fwknop = false } = options;
  const more = { ...(prefix && { prefix }), withTotp: totp, withFwknop: fwknop };
  const request = { name, services, admission, ttlMs, cutOnRevoke: null, ...more };
  const profile = await enrolPeer(directory, request, await how(options));
  const path = fileFor(name, options);
  try {
    await writeProfileFile(path, profile);
  } catch (fault) {
    // nobody has its profile, so it is of no use to anybody
    await new PeerStore(directory).revoke(name);
    throw fault;
  }
  await reload(directory);
  await tellProfile(directory, profile, path);
}

async function rotate(name: PeerName, options: ProfileOptions): Promise<void> {
  const { reenrolPeer } = await import('../config/server-folder.ts');
  const { writeProfileFile } = await import('../store/profile-file.ts');
  const directory = directoryOf(options);
  const path = fileFor(name, options);
  const deliver = (profile: Profile): Promise<void> => writeProfileFile(path, profile);
  const profile = await reenrolPeer(directory, name, { ...(await how(options)), deliver });
  await reload(directory);
  await tellProfile(directory, profile, path);
}

async function revoke(name: PeerName, options: { dir?: string }): Promise<void> {
  const { PeerStore } = await import('../store/peer-store.ts');
  const directory = directoryOf(options);
  await new PeerStore(directory).revoke(name);
  tell(`peer '${name}' revoked`);
  await reload(directory);
}

async function show(name: PeerName, options: ShowOptions): Promise<void> {
  const { PeerStore } = await import('../store/peer-store.ts');
  const peer = publicPart(await new PeerStore(directoryOf(options)).get(name));
  if (options.json) printJson(peer);
  else print(formatTable(Object.entries(peer).map(([key, value]) => [key, String(value ?? '-')])));
}

async function list(options: ShowOptions): Promise<void> {
  const { PeerStore } = await import('../store/peer-store.ts');
  const peers = (await new PeerStore(directoryOf(options)).list()).map(publicPart);
  if (options.json) {
    printJson(peers);
    return;
  }
  const rows = peers.map(({ name, services, admission, ttl }) => [
    name,
    services.join(','),
    admission ?? '-',
    ttl ?? '-',
  ]);
  print(formatTable([['NAME', 'SERVICES', 'ADMISSION', 'TTL'], ...rows]));
}

function publicPart({ name, services, admission, ttlMs, totp, prefix, fwknop }: PeerRecord) {
  const ttl = ttlMs === null ? null : formatDuration(ttlMs);
  const may = { totp: totp !== null, prefix: prefix === true, fwknop: fwknop !== undefined };
  return { name, services, admission, ttl, ...may };
}

function fileFor(name: PeerName, { out }: ProfileOptions): string {
  return out ?? `${name}.profile.toml`;
}

async function how({ host = null }: { readonly host?: string | null }) {
  const { createSystemEntropy } = await import('../system/entropy.ts');
  return { host, entropy: createSystemEntropy() };
}

async function tellProfile(directory: string, profile: Profile, path: string): Promise<void> {
  const { showAuthenticator, showProfile, showStanza } = await import('./show-profile.ts');
  showProfile(profile, path);
  await showAuthenticator(profile);
  await showStanza(directory, profile);
}

async function reload(directory: string): Promise<void> {
  const { reloadIfRunning } = await import('./running-server.ts');
  await reloadIfRunning(directory);
}
