import { X509Certificate } from 'node:crypto';
import { MAX_SENT_CERTIFICATE_LENGTH } from '../bytes/key-lengths.ts';
import { lobbyCredential } from '../certificate/lobby.ts';
import { pointOf } from '../crypto/p256.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { readOwnAuthorisation } from '../pki/own-authorisation.ts';
import { DEFAULT_PORT, type Profile } from '../store/profile.ts';
import { certificatePeerName, type ServiceName } from '../units/names.ts';
import type { Port } from '../units/network.ts';
import { type Identity, type IdentityFiles, readIdentity } from './identity.ts';

/** What a certificate does not say of the server. */
interface Server {
  /** As `parseHost` gives them; the first names the profile. */
  readonly hosts: readonly [string, ...string[]];
  /** 62202 if not said. */
  readonly port?: Port;
}

export interface CertificateProfileRequest extends IdentityFiles, Server {
  /** What the server calls what the certificate is for, at least one: the certificate has port numbers only. */
  readonly services: readonly ServiceName[];
}

/**
 * Makes a profile of the files of a certificate, so that no knock has to name them again.
 * @throws {HknockError} as `readIdentity`; `bad-input` when the certificate is for no port
 */
export async function certificateProfile(request: CertificateProfileRequest): Promise<Profile> {
  const { hosts, port, services, ...files } = request;
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
  return profileOf(
    { certificate, privateKey, serverKey },
    {
      hosts,
      ...(port && { port }),
      services: new Map(services.map((service) => [service, ports])),
    },
  );
}

/** Puts into a profile what a client proves itself with, and where. */
export function profileOf(
  { certificate, privateKey, serverKey }: Identity,
  { hosts, port = DEFAULT_PORT, services }: Server & Pick<Profile, 'services'>,
): Profile {
  const serverPoint = pointOf(serverKey);
  const { serialNumber } = new X509Certificate(certificate);
  return {
    name: hosts[0],
    hosts,
    port,
    ...lobbyCredential(serverPoint),
    peer: certificatePeerName(serialNumber.toLowerCase()),
    services,
    certificate: { certificate, privateKey, serverPoint },
    expect: [],
  };
}
