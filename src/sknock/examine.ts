import { hash } from 'node:crypto';
import { equalConstantTime } from '../crypto/mac.ts';
import { isSignedInDer } from '../crypto/p256.ts';
import type { CertificateFault, ClientCertificate } from '../pki/certificate.ts';
import { formatServicePort, type IpAddress, type ServicePort } from '../units/network.ts';
import type { DurationMs, UnixMs } from '../units/time.ts';
import { decodeClientAddress, encodeClientAddress } from './client-address.ts';
import type { SealedRequest } from './datagram.ts';
import type { RequestOpener } from './ecies.ts';
import type { SeenRequest } from './replay-cache.ts';
import { decodeSignedRequest, type SignedRequest } from './signed-request.ts';

/** A datagram of the right form: what its public-key work needs. Plain data, to be sent to another thread. */
export interface SknockExamination {
  readonly sealed: SealedRequest;
  readonly source: IpAddress;
  /** When it came. */
  readonly unixMs: UnixMs;
  /** How far the request's time may be from that, either way; whole seconds. */
  readonly windowMs: DurationMs;
  /** Whether the address in the request must be the source. */
  readonly checkAddress: boolean;
}

/** What the examination came to. Plain data as well. */
export type SknockVerdict = GoodRequest | UnprovenRequest | BadRequest;

/** Whom a certificate names. */
export type Holder = Pick<ClientCertificate, 'serial' | 'subject'>;

/** A request with a certificate of the authority's. */
interface CertifiedRequest {
  readonly seen: SeenRequest;
  readonly holder: Holder;
  /** DER, for whoever has to look at it again when what it depends on has changed. */
  readonly certificate: Uint8Array;
}

export interface GoodRequest extends CertifiedRequest {
  readonly kind: 'good';
  readonly port: ServicePort;
  readonly claimed: IpAddress;
  readonly sessionSecret: Uint8Array;
}

/** Anybody who has the certificate may have sent it. */
interface UnprovenRequest extends CertifiedRequest {
  readonly kind: 'unproven';
  readonly reason: 'port' | 'signature';
}

interface BadRequest {
  readonly kind: 'bad';
  readonly reason: 'point' | 'padding' | 'malformed' | 'timestamp' | 'address' | CertificateFault;
  /** The request, where it failed after the check for replays would have come. */
  readonly seen: SeenRequest | null;
}

export interface SknockExaminerParts {
  readonly opener: RequestOpener;
  /** What a certificate is good for, or what is wrong with it. */
  readonly verify: (der: Uint8Array) => ClientCertificate | CertificateFault;
}

/** Steps 4 to 8 and 10 to 12 of sknock.md, section 5: all that takes public-key work, and what lies between. Never throws. */
export function examine(
  examination: SknockExamination,
  { opener, verify }: SknockExaminerParts,
): SknockVerdict {
  // steps 4 and 5
  const opened = opener.open(examination.sealed);
  if (typeof opened === 'string') return bad(opened);
  // step 6
  const request = decodeSignedRequest(opened.plaintext);
  if (request === null) return bad('malformed');
  // steps 7 and 8
  const early = checkCheaply(request, examination);
  if (early !== null) return bad(early);
  const seen = { issuedAtUnixS: request.issuedAtUnixS, digest: digestOf(opened.plaintext) };
  // step 10
  const certificate = verify(request.certificate);
  if (typeof certificate === 'string') return bad(certificate, seen);
  const { serial, subject } = certificate;
  const known = { seen, holder: { serial, subject }, certificate: request.certificate };
  // step 11
  if (!allows(certificate, request.port)) return { kind: 'unproven', reason: 'port', ...known };
  // step 12
  if (!isSignedInDer(certificate.publicKey, request.signed, request.signature))
    return { kind: 'unproven', reason: 'signature', ...known };
  const claimed = decodeClientAddress(request.addressBytes);
  const { sessionSecret } = opened;
  return { kind: 'good', ...known, port: request.port, claimed, sessionSecret };
}

function checkCheaply(
  { issuedAtUnixS, addressBytes }: SignedRequest,
  { source, unixMs, windowMs, checkAddress }: SknockExamination,
): 'timestamp' | 'address' | null {
  if (Math.abs(Math.floor(unixMs / 1000) - issuedAtUnixS) * 1000 > windowMs) return 'timestamp';
  const isFromThere = equalConstantTime(addressBytes, encodeClientAddress(source));
  return checkAddress && !isFromThere ? 'address' : null;
}

/**
 * Of what the request says, not of the datagram: the version may be lowered and the ephemeral point negated on the way, and the
 * request that is inside stays the same.
 */
function digestOf(plaintext: Uint8Array): string {
  return hash('sha256', plaintext).slice(0, 32);
}

function allows({ authorised }: ClientCertificate, port: ServicePort): boolean {
  const wanted = formatServicePort(port);
  return authorised.some((each) => formatServicePort(each) === wanted);
}

function bad(reason: BadRequest['reason'], seen: SeenRequest | null = null): BadRequest {
  return { kind: 'bad', reason, seen };
}
