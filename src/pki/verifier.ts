import type { UnixMs } from '../units/time.ts';
import {
  type CertificateFault,
  type ClientCertificate,
  MAX_CERTIFICATE_LENGTH,
  readClientCertificate,
} from './certificate.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { RevocationList } from './revocation-list.ts';
import { readTrustAnchor, type TrustAnchor } from './trust-anchor.ts';

/** Enough for every client of a busy server; about 2 kB each. */
const DEFAULT_CACHE_SIZE = 4096;

export interface CertificateVerifierOptions {
  /** The authority's certificate, DER. */
  readonly ca: Uint8Array;
  /** How many certificates are kept verified. */
  readonly cacheSize?: number;
  /** Whether no certificate is good without a list of revoked ones that is up to date; not if not said. */
  readonly requireFreshCrl?: boolean;
}

/** Verifies clients' certificates against one authority, and remembers those that it has verified. */
export class CertificateVerifier {
  readonly anchor: TrustAnchor;
  readonly #cacheSize: number;
  readonly #requireFreshCrl: boolean;
  /** By fingerprint, the one that was used longest ago first. Only good ones: strangers take no room. */
  readonly #verified = new Map<string, ClientCertificate>();
  #revocations: RevocationList | null = null;

  /** @throws {HknockError} `config` when the authority's certificate cannot be used */
  constructor({ ca, cacheSize, requireFreshCrl }: CertificateVerifierOptions) {
    this.anchor = readTrustAnchor(ca);
    this.#cacheSize = cacheSize ?? DEFAULT_CACHE_SIZE;
    this.#requireFreshCrl = requireFreshCrl ?? false;
  }

  /** How many certificates are remembered. */
  get cached(): number {
    return this.#verified.size;
  }

  /** Takes another list of revoked certificates, already verified, in place of the last. */
  setRevocations(list: RevocationList | null): void {
    this.#revocations = list;
    this.#verified.clear();
  }

  /** What a certificate is good for now, or why it is not. Never throws. */
  verify(der: Uint8Array, nowUnixMs: UnixMs): ClientCertificate | CertificateFault {
    const certificate = this.#recall(der) ?? readClientCertificate(der, this.anchor);
    if (typeof certificate === 'string') return certificate;
    this.#remember(certificate);
    return this.#faultAt(certificate, nowUnixMs) ?? certificate;
  }

  #recall(der: Uint8Array): ClientCertificate | null {
    if (der.length > MAX_CERTIFICATE_LENGTH) return null;
    return this.#verified.get(fingerprintOf(der)) ?? null;
  }

  #remember(certificate: ClientCertificate): void {
    const { fingerprint } = certificate;
    this.#verified.delete(fingerprint);
    this.#verified.set(fingerprint, certificate);
    if (this.#verified.size <= this.#cacheSize) return;
    for (const oldest of this.#verified.keys()) {
      this.#verified.delete(oldest);
      return;
    }
  }

  /** What changes with time and list, and is asked anew for every use. */
  #faultAt(
    { serial, notBefore, notAfter }: ClientCertificate,
    now: UnixMs,
  ): CertificateFault | null {
    if (now < notBefore) return 'certificate-not-yet-valid';
    // the last second is part of the validity (RFC 5280, section 4.1.2.5)
    if (now >= notAfter + 1000) return 'certificate-expired';
    if (this.#revocations?.serials.has(serial) === true) return 'certificate-revoked';
    const isFresh = this.#revocations !== null && now < this.#revocations.nextUpdate;
    return this.#requireFreshCrl && !isFresh ? 'crl-stale' : null;
  }
}
