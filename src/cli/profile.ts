import type { CertificateAccess } from '../client/certificate-access.ts';
import type { IdentityFiles } from '../client/identity.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { isPkcs12, PKCS12_PASSWORD } from '../store/pkcs12.ts';
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
  if (cert === undefined || serverCert === undefined || (key === undefined && !isPkcs12(cert))) {
    throw new HknockError('usage', `--mode ${mode} needs --cert, --key and --server-cert`, {
      hint: 'a file of PKCS#12 (.p12) has the key in it; hknock import keeps a certificate for good',
    });
  }
  return {
    certificate: cert,
    serverCertificate: serverCert,
    ...(key !== undefined && { privateKey: key }),
    ...passphraseOf(cert),
  };
}

/** The password of a PKCS#12 file, where it is one. */
export function passphraseOf(certificate: string): { readonly passphrase?: string } {
  const password = process.env[PKCS12_PASSWORD];
  return isPkcs12(certificate) && password !== undefined ? { passphrase: password } : {};
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
