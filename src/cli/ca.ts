import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import {
  isServiceName,
  parsePeerName,
  parseServiceName,
  type PeerName,
  type ServiceName,
} from '../units/names.ts';
import { parseServicePort, type ServicePort } from '../units/network.ts';
import type { Order } from '../server/issue-files.ts';
import { argument, commaSeparated, directoryOf, dirOption } from './options.ts';
import { print, tell } from './terminal.ts';

interface CrlOptions {
  readonly dir?: string;
  readonly crlDays: number;
}

interface IssueOptions {
  readonly dir?: string;
  readonly service?: readonly (ServiceName | ServicePort)[];
  readonly server?: true;
  readonly csr?: string;
  readonly pkcs12?: true;
  readonly profile?: string;
  readonly host?: string;
  readonly days: number;
  readonly out?: string;
}

/** `hknock ca init|issue|revoke|crl` */
export function addCa(program: Command): void {
  const ca = program
    .command('ca')
    .description('A small certification authority, for clients that knock with certificates.');
  withCrlDays(ca.command('init'))
    .description("Makes an authority in the folder 'ca' of the server's folder.")
    .addOption(
      new Option('--name <name>', 'what to call it')
        .argParser(argument(parsePeerName))
        .default('hknock-ca'),
    )
    .addHelpText('after', '\nExample:\n  hknock ca init')
    .action(init);
  addIssue(ca.command('issue'));
  withCrlDays(ca.command('revoke'))
    .description('Revokes the certificates of a name; a running server follows at once.')
    .argument('<name>', 'whose they are', argument(parsePeerName))
    .addHelpText('after', '\nExample:\n  hknock ca revoke alice')
    .action(revoke);
  withCrlDays(ca.command('crl'))
    .description('Makes a new list of revoked certificates, before the last is out of date.')
    .addHelpText('after', '\nExample:\n  hknock ca crl --crl-days 7')
    .action(renew);
}

function addIssue(command: Command): void {
  command
    .description('Issues a certificate that says what its holder may open, or that of a server.')
    .argument('<name>', 'whose it is', argument(parsePeerName))
    .option(
      '--service <names>',
      "what it may open: services of hknock.toml, or ports such as 'tcp/22'",
      commaSeparated(parseServiceOrPort),
    )
    .option('--server', "for the server itself: 'server.pem' and 'server.key' in its folder")
    .option('--csr <file>', 'for the key of this request (PEM); nothing else in it counts')
    .option('--pkcs12', 'as one file, with the password in HKNOCK_PKCS12_PASSWORD')
    .addOption(
      new Option(
        '--profile <file>',
        "as a profile with its key and all that the client needs to know of this server, for 'hknock import FILE'",
      ).conflicts(['server', 'csr', 'pkcs12', 'out']),
    )
    .option('--host <public>', 'with --profile: how the client reaches this server')
    .addOption(daysOption('--days <days>', 'how long it is valid', 365))
    .option('--out <file>', 'where to write it (default: NAME.pem, and NAME.key beside it)')
    .addOption(dirOption())
    .addHelpText(
      'after',
      '\nExamples:\n  hknock ca issue alice --service ssh,udp/60001\n  hknock ca issue alice --service ssh --profile alice.profile.toml --host gate.example.org\n  hknock ca issue bob --service ssh --csr bob.csr\n  hknock ca issue gate.example.org --server',
    )
    .action(issue);
}

function withCrlDays(command: Command): Command {
  return command
    .addOption(daysOption('--crl-days <days>', 'after how long the next list is due', 30))
    .addOption(dirOption());
}

function daysOption(flags: string, description: string, days: number): Option {
  return new Option(flags, description).argParser(argument(parseDays)).default(days);
}

function parseDays(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new HknockError('usage', `'${text}' is not a number of days from 1 to 9999`);
}

function parseServiceOrPort(text: string): ServiceName | ServicePort {
  return isServiceName(text) ? parseServiceName(text) : parseServicePort(text);
}

async function init({ dir, name, crlDays }: CrlOptions & { name: PeerName }): Promise<void> {
  const { initAuthority } = await import('../server/authority.ts');
  print(await initAuthority(await hostOf({ dir }), { name, crlDays }));
  tell('Next: hknock ca issue NAME --server, then hknock ca issue NAME --service ssh');
}

async function issue(name: PeerName, options: IssueOptions): Promise<void> {
  const { csr, pkcs12 = false, days } = options;
  if (csr !== undefined && pkcs12) {
    throw new HknockError(
      'usage',
      '--pkcs12 needs the private key, and --csr leaves it where it is',
    );
  }
  const authorised = await authorisedBy(options);
  const host = await hostOf(options);
  if (options.profile !== undefined) {
    await issueProfile(host, { name, authorised, days, path: options.profile }, options);
    return;
  }
  if (options.host !== undefined) {
    throw new HknockError('usage', '--host goes with --profile: a certificate names no server');
  }
  const usual = authorised === null ? join(host.directory, 'server') : name;
  const path = options.out ?? `${usual}.${pkcs12 ? 'p12' : 'pem'}`;
  for (const each of await write(host, { name, authorised, days, path }, options)) print(each);
}

async function issueProfile(
  host: Awaited<ReturnType<typeof hostOf>>,
  order: Order,
  { service = [], host: reachedAs }: IssueOptions,
): Promise<void> {
  const services = service.filter((each) => typeof each === 'string');
  if (services.length < service.length) {
    throw new HknockError('usage', 'a profile names services, and a port has no name', {
      hint: 'hknock service add NAME tcp/PORT, then --service NAME',
    });
  }
  const { issueAsProfile } = await import('../server/issue-profile.ts');
  print(await issueAsProfile(host, { ...order, services, reachedAs: reachedAs ?? null }));
  tell(`give it to ${order.name} over a safe way: it is the key to the door`);
}

async function write(
  host: Awaited<ReturnType<typeof hostOf>>,
  order: Order,
  { csr, pkcs12 }: IssueOptions,
): Promise<readonly string[]> {
  const files = await import('../server/issue-files.ts');
  if (csr !== undefined) return files.issueForRequest(host, order, csr);
  if (pkcs12 === undefined) return files.issueAsPem(host, order);
  const { PKCS12_PASSWORD } = await import('../store/pkcs12.ts');
  return files.issueAsPkcs12(host, order, process.env[PKCS12_PASSWORD] ?? '');
}

async function revoke(name: PeerName, { dir, crlDays }: CrlOptions): Promise<void> {
  const authority = await import('../server/authority.ts');
  const host = await hostOf({ dir });
  const count = await authority.revoke(host, { name, crlDays });
  tell(`${String(count)} revoked`);
  await reload(host.directory);
}

async function renew({ dir, crlDays }: CrlOptions): Promise<void> {
  const { renewCrl } = await import('../server/authority.ts');
  const host = await hostOf({ dir });
  print(await renewCrl(host, { crlDays }));
  await reload(host.directory);
}

/** Null for a server. */
async function authorisedBy({ dir, service, server }: IssueOptions) {
  if ((service === undefined) === (server === undefined)) {
    throw new HknockError('usage', 'say either --service, what it may open, or --server', {
      hint: 'such as: hknock ca issue alice --service tcp/22',
    });
  }
  if (service === undefined) return null;
  const { portsOf } = await import('../config/service-ports.ts');
  return portsOf(directoryOf({ dir }), service);
}

async function hostOf({ dir }: { readonly dir?: string | undefined }) {
  const { createSystemClock } = await import('../system/clock.ts');
  const { createSystemEntropy } = await import('../system/entropy.ts');
  const directory = directoryOf({ dir });
  return { directory, clock: createSystemClock(), entropy: createSystemEntropy() };
}

// an authority may live where no server does
async function reload(directory: string): Promise<void> {
  const { configPath } = await import('../config/load.ts');
  if (!existsSync(configPath(directory))) return;
  const { reloadIfRunning } = await import('./running-server.ts');
  await reloadIfRunning(directory);
}
