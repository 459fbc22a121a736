import { X509Certificate } from 'node:crypto';
import { MAX_SENT_CERTIFICATE_LENGTH } from '../bytes/key-lengths.ts';
import { lobbyCredential } from '../certificate/lobby.ts';
import { pointOf } from '../crypto/p256.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { readOwnAuthorisation } from '../pki/own-authorisation.ts';
import { DEFAULT_PORT, type Profile } from '../store/profile.ts';
import { certificatePeerName, type ServiceName } from '../units/names.ts';
import type { Port } from '../units/network.ts';
import { type IdentityFiles, readIdentity } from './identity.ts';

export interface CertificateProfileRequest extends IdentityFiles {
  /** As `parseHost` gives them; the first names the profile. */
  readonly hosts: readonly [string, ...string[]];
  /** 62202 if not said. */
  readonly port?: Port;
  /** What the server calls what the certificate is for, at least one: the certificate has port numbers only. */
  readonly services: readonly ServiceName[];
}

/**
 * Makes a profile of the files of a certificate, so that no knock has to name them again.
 * @throws {HknockError} as `readIdentity`; `bad-input` when the certificate is for no port
 */
export async function certificateProfile(request: CertificateProfileRequest): Promise<Profile> {
  const { hosts, port = DEFAULT_PORT, services, ...files } = request;
  const { certificate, privateKey, serverKey } = await readIdentity(
    files,
    MAX_SENT_CERTIFICATE_LENGTH,
  );
  const ports = readOwnAuthorisation(certificate);
  if (ports.length === 0) {
    throw new HknockError('bad-input', `${files.certificate} does not say what it opens`, {
      hint: 'have one issued with hknock ca issue NAME --service SERVICE',
    });
  }
  const serverPoint = pointOf(serverKey);
  const { serialNumber } = new X509Certificate(certificate);
  return {
    name: hosts[0],
    hosts,
    port,
    ...lobbyCredential(serverPoint),
    peer: certificatePeerName(serialNumber.toLowerCase()),
    services: new Map(services.map((service) => [service, ports])),
    certificate: { certificate, privateKey, serverPoint },
    expect: [],
  };
}
