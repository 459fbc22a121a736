import { type Command, Option } from 'commander';
import { HknockError } from '../errors/hknock-error.ts';
import { parseHost } from '../store/host-name.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { parsePort, type Port } from '../units/network.ts';
import { type KeepOptions, keepProfile } from './keep-profile.ts';
import { argument, commaSeparated, expectOption } from './options.ts';

interface CertificateOptions extends KeepOptions {
  readonly key?: string;
  readonly serverCert: string;
  readonly host: readonly [string, ...string[]];
  readonly port?: Port;
  readonly service: readonly ServiceName[];
}

/** `hknock import certificate` */
export function addImportCertificate(command: Command): void {
  command
    .command('certificate')
    .description('Keeps a certificate and its key as a profile, so that knocks need not name them.')
    .argument(
      '<file>',
      'your certificate: PEM, or PKCS#12 (.p12) with its key, and the password in HKNOCK_PKCS12_PASSWORD',
    )
    .option('--key <file>', 'its private key, PEM; with PKCS#12 it is in there')
    .requiredOption('--server-cert <file>', "the server's certificate, PEM")
    .requiredOption(
      '--host <hosts>',
      'names and addresses of the server, with commas',
      commaSeparated(readHost),
    )
    .addOption(
      new Option('--port <port>', "the server's UDP port (default: 62202)").argParser(
        argument(parsePort),
      ),
    )
    .requiredOption(
      '--service <names>',
      'what the server calls what the certificate opens, with commas',
      commaSeparated(parseServiceName),
    )
    .option('--name <hostname>', 'what to call the server')
    .addOption(expectOption())
    .option('--replace', 'in place of another profile of that name')
    .addHelpText(
      'after',
      '\nExample:\n  hknock import certificate alice.p12 --server-cert server.pem --host gate.example.org --service ssh',
    )
    .action(importCertificate);
}

async function importCertificate(
  certificate: string,
  _own: object,
  command: Command,
): Promise<void> {
  // what 'hknock import' has too is read by that, wherever it stands
  const { key, serverCert, host, port, service, name, expect, replace } =
    command.optsWithGlobals<CertificateOptions>();
  const { certificateProfile } = await import('../client/certificate-profile.ts');
  const { passphraseOf } = await import('./profile.ts');
  const profile = await certificateProfile({
    certificate,
    serverCertificate: serverCert,
    hosts: host,
    services: service,
    ...(key !== undefined && { privateKey: key }),
    ...passphraseOf(certificate),
    ...(port && { port }),
  });
  await keepProfile(profile, { name, expect, replace });
}

function readHost(text: string): string {
  const host = parseHost(text);
  if (host !== null) return host;
  throw new HknockError('usage', `'${text}' is no host name or address`);
}
