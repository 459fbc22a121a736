import { lobbyKeys } from '../certificate/lobby.ts';
import { certificateProver } from '../certificate/prover.ts';
import { pointOf, sign } from '../crypto/p256.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { InitiatorContext } from '../handshake/initiator.ts';
import { deriveKeys } from '../handshake/keys.ts';
import type { CertificateKey } from '../store/certificate-key.ts';
import { isForFwknopAlone, type Profile } from '../store/profile.ts';
import type { CertificateAccess } from './certificate-access.ts';

/** What the initiator proves itself with. */
export type Credential = Pick<InitiatorContext, 'keys' | 'prover'>;

/** Derived once for each profile: who knocks again and again should not wait for it. */
const derived = new WeakMap<Profile | CertificateAccess, Credential>();

/** What stands in a profile or in certificates, made ready to knock with. @throws {HknockError} `usage` when it has none but fwknop's */
export function credentialOf(access: Profile | CertificateAccess): Credential {
  const credential = derived.get(access) ?? derive(access);
  derived.set(access, credential);
  return credential;
}

function derive(access: Profile | CertificateAccess): Credential {
  if ('privateKey' in access) return byCertificate(access, pointOf(access.serverKey));
  const { certificate } = access;
  if (certificate === undefined && isForFwknopAlone(access)) {
    throw new HknockError('usage', "this profile has keys of fwknop's alone", {
      hint: 'knock and connect with --mode fwknop',
    });
  }
  if (certificate === undefined) return { keys: deriveKeys(access) };
  return byCertificate(certificate, certificate.serverPoint);
}

function byCertificate(
  { certificate, privateKey }: Pick<CertificateKey, 'certificate' | 'privateKey'>,
  responderPoint: Uint8Array,
): Credential {
  const prover = certificateProver({
    certificate,
    responderPoint,
    sign: (message) => sign(privateKey, message),
  });
  return { keys: lobbyKeys(responderPoint), prover };
}
