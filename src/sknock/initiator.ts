import { type KeyObject, sign } from 'node:crypto';
import type { Entropy } from '../host/entropy.ts';
import { encodeDatagram } from './datagram.ts';
import { sealRequest } from './ecies.ts';
import { encodeRequest, encodeSignedRequest, type Request } from './signed-request.ts';

/** Longest certificate that there is room for (sknock.md, section 2). */
export const MAX_SKNOCK_CERTIFICATE_LENGTH = 1022;

/** What a client has to knock with. */
export interface SknockIdentity {
  /** X.509, DER. */
  readonly certificate: Uint8Array;
  /** Of that certificate, on P-256. */
  readonly privateKey: KeyObject;
  /** Of the server's certificate, on P-256. */
  readonly serverKey: KeyObject;
}

/** The one datagram of a knock (sknock.md, section 2). The signature's own nonce is OpenSSL's. */
export function createSknock(
  { certificate, privateKey, serverKey }: SknockIdentity,
  wish: Omit<Request, 'certificate'>,
  entropy: Entropy,
): Uint8Array {
  const request = encodeRequest({ ...wish, certificate });
  const plaintext = encodeSignedRequest(request, sign('sha256', request, privateKey));
  return encodeDatagram(sealRequest(plaintext, { serverKey, entropy }));
}
