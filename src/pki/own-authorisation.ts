import type { ServicePort } from '../units/network.ts';
import { readAuthorisation } from './authorisation.ts';
import { readCertificateFields } from './certificate-fields.ts';
import { readDer } from './der.ts';
import { extensionIds } from './extensions.ts';
import { readSigned } from './signed.ts';

/** What a certificate lets its holder open; empty when it says nothing of that. For the holder's own: nothing is verified. */
export function readOwnAuthorisation(certificate: Uint8Array): readonly ServicePort[] {
  const body = readDer(certificate, readSigned)?.body ?? new Uint8Array();
  const authorised = readDer(body, (reader) =>
    readCertificateFields(reader).extensions.read(extensionIds.subjectAltName, readAuthorisation),
  );
  return authorised === null || typeof authorised === 'string' ? [] : authorised;
}
