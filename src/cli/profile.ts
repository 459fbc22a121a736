import type { CertificateAccess } from '../client/certificate-access.ts';
import type { IdentityFiles } from '../client/identity.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Profile } from '../store/profile.ts';
import type { Port } from '../units/network.ts';

/**
 * The profile for HOST: the one that `--profile` names, by name or as a file, or else the kept one of that name or that lists that host.
 * @throws {HknockError} `config` or `bad-input` when there is none
 */
export async function findProfile(host: string, named: string | undefined): Promise<Profile> {
  if (named?.includes('/') || named?.endsWith('.toml')) {
    const { readProfileFile } = await import('../store/profile-file.ts');
    return readProfileFile(named);
  }
  const { ProfileStore } = await import('../store/profile-store.ts');
  return new ProfileStore().find(named ?? host);
}

/** Which of a profile's hosts HOST asks for: undefined for all of them, when it is just the profile's name. */
export function hostWithin(profile: Profile, host: string): string | undefined {
  return host === profile.name ? undefined : host;
}

/** The files of `--mode certificate` and `--mode sknock`, as the command line names them. */
interface NamedFiles {
  readonly mode: string;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverCert: string | undefined;
}

/** @throws {HknockError} `usage` when one of the files is not named */
export function certificateFiles({ mode, cert, key, serverCert }: NamedFiles): IdentityFiles {
  if (cert === undefined || key === undefined || serverCert === undefined) {
    throw new HknockError('usage', `--mode ${mode} needs --cert, --key and --server-cert`);
  }
  return { certificate: cert, privateKey: key, serverCertificate: serverCert };
}

/**
 * What a client with a certificate knocks at HOST with.
 * @throws {HknockError} `usage` for a port at random, or as `readCertificateAccess`
 */
export async function certificateFor(
  host: string,
  files: IdentityFiles,
  port: Port | 'random' | undefined,
): Promise<CertificateAccess> {
  if (port === 'random') {
    throw new HknockError('usage', "a server takes knocks at ports at random with 'sknock' only");
  }
  const { readCertificateAccess } = await import('../client/certificate-access.ts');
  return readCertificateAccess({ hosts: [host], ...files, ...(port && { port }) });
}
