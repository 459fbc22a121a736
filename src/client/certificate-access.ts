import { MAX_SENT_CERTIFICATE_LENGTH } from '../bytes/key-lengths.ts';
import { DEFAULT_PORT } from '../store/profile.ts';
import type { Port, Prefix } from '../units/network.ts';
import { type Identity, type IdentityFiles, readIdentity } from './identity.ts';

/** What a client has who knocks with a certificate; that has at most 700 bytes. */
export interface CertificateAccess extends Identity {
  /** Names and addresses of the one server, in the order to be tried; at least one. */
  readonly hosts: readonly string[];
  readonly port: Port;
  /** The addresses that the client may have on its way to the server; empty when it may have any. */
  readonly expect: readonly Prefix[];
}

export interface CertificateFiles extends IdentityFiles {
  readonly hosts: readonly string[];
  /** 62202 if not said. */
  readonly port?: Port;
}

/**
 * Reads what a client needs to knock with a certificate.
 * @throws {HknockError} `bad-input` when a file is missing or wrong, `config` when others have access to the key
 */
export async function readCertificateAccess(files: CertificateFiles): Promise<CertificateAccess> {
  const identity = await readIdentity(files, MAX_SENT_CERTIFICATE_LENGTH);
  const { hosts, port = DEFAULT_PORT } = files;
  return { ...identity, hosts, port, expect: [] };
}
