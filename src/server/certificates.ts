import { createPrivateKey, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CertificatesConfig, ServerConfig } from '../config/server-config.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Grants } from '../grants/grants.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { decodePem } from '../pki/pem.ts';
import { CertificateVerifier } from '../pki/verifier.ts';
import { decodePkcs12, isPkcs12, PKCS12_PASSWORD } from '../store/pkcs12.ts';
import { readPrivateBytes, readPrivateFile } from '../store/private-file.ts';
import { isCertificatePeer, type PeerName } from '../units/names.ts';
import { type CrlStatus, Revocations } from './revocations.ts';

export interface CertificatesOptions {
  readonly grants: Pick<Grants, 'closePeers' | 'list'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whom the server believes, and what it knows of who is revoked. */
export interface CertificatesStatus {
  readonly ca: { readonly name: string; readonly notAfter: string };
  /** Null when the configuration has no list. */
  readonly crl: CrlStatus | null;
}

/** Each cut runs conntrack several times. When more are revoked at once, those are cut who have a grant. */
const MAX_CUTS = 1000;

/** What a server needs for clients that come with certificates: whom to believe, who is revoked, and its own key. */
export class Certificates {
  readonly #options: CertificatesOptions;
  #config: ServerConfig;
  #verifier: CertificateVerifier;
  #key: KeyObject;
  #revocations: Revocations | null = null;

  /**
   * Reads what the configuration names; null when it names no certificates.
   * @throws {HknockError} `config` when a file is missing, wrong or open to others
   */
  static async start(
    config: ServerConfig,
    options: CertificatesOptions,
  ): Promise<Certificates | null> {
    if (config.certificates === null) return null;
    const certificates = new Certificates(config, await readMaterial(config.certificates), options);
    await certificates.#watch();
    return certificates;
  }

  private constructor(
    config: ServerConfig,
    { verifier, key }: Material,
    options: CertificatesOptions,
  ) {
    this.#config = config;
    this.#verifier = verifier;
    this.#key = key;
    this.#options = options;
  }

  /** Ask for it at each use: a reload may exchange it. */
  get verifier(): CertificateVerifier {
    return this.#verifier;
  }

  /** This server's private key, on P-256. */
  get key(): KeyObject {
    return this.#key;
  }

  status(): CertificatesStatus {
    const { commonName, notAfter } = this.#verifier.anchor;
    return {
      ca: { name: commonName, notAfter: new Date(notAfter).toISOString() },
      crl: this.#revocations?.status() ?? null,
    };
  }

  /** Reads the list of revoked certificates again; what is wrong with it is logged. */
  async refresh(): Promise<void> {
    await this.#revocations?.refresh();
  }

  /**
   * Reads what a changed configuration names, and gives what takes it over.
   * @throws {HknockError} as {@link start}; nothing has changed then
   */
  async prepare(config: ServerConfig): Promise<() => Promise<void>> {
    const { certificates } = config;
    // whether there are certificates at all counts from the next start
    if (certificates === null) return () => Promise.resolve();
    const material = await readMaterial(certificates);
    return () => this.#takeOver(config, material);
  }

  async stop(): Promise<void> {
    await this.#revocations?.stop();
  }

  async #takeOver(config: ServerConfig, { verifier, key }: Material): Promise<void> {
    const isOtherAuthority = Buffer.compare(verifier.anchor.der, this.#verifier.anchor.der) !== 0;
    const isSame =
      !isOtherAuthority && isDeepStrictEqual(config.certificates, this.#config.certificates);
    this.#config = config;
    this.#key = key;
    if (isSame) return;
    await this.#revocations?.stop();
    this.#verifier = verifier;
    await this.#watch();
    if (isOtherAuthority) await this.#closeAll();
  }

  async #watch(): Promise<void> {
    const { directory, certificates } = this.#config;
    const { clock, log } = this.#options;
    const crl = certificates?.crl ?? null;
    if (certificates === null || crl === null) {
      this.#revocations = null;
      return;
    }
    this.#revocations = await Revocations.start({
      directory,
      config: { ...certificates, crl },
      verifier: this.#verifier,
      closePeers: (revoked, { isFirst }) => this.#closeRevoked(revoked, isFirst),
      clock,
      log,
    });
  }

  async #closeRevoked(revoked: readonly PeerName[], isFirst: boolean): Promise<void> {
    const { grants, log } = this.#options;
    const { cutOnRevoke } = this.#config.policy;
    const live = new Set(grants.list().map(({ peer }) => peer));
    // with the first list there is nobody yet who got in by a certificate before
    const cutsAll = !isFirst && revoked.length <= MAX_CUTS;
    if (cutOnRevoke && !isFirst && !cutsAll) {
      log.warn('too many revoked to cut', { revoked: revoked.length, most: MAX_CUTS });
    }
    await grants.closePeers(
      revoked.map((peer) => ({ peer, cut: cutOnRevoke && (cutsAll || live.has(peer)) })),
    );
  }

  /** Those whom another authority let in. */
  async #closeAll(): Promise<void> {
    const peers = this.#options.grants.list().map(({ peer }) => peer);
    const { cutOnRevoke: cut } = this.#config.policy;
    const closings = [...new Set(peers.filter(isCertificatePeer))].map((peer) => ({ peer, cut }));
    await this.#options.grants.closePeers(closings);
  }
}

/** What the files of a configuration hold. */
export interface Material {
  readonly verifier: CertificateVerifier;
  readonly key: KeyObject;
}

/** @throws {HknockError} `config` when a file is missing, wrong or open to others */
export async function readMaterial({
  ca,
  key,
  crl,
  onStale,
}: CertificatesConfig): Promise<Material> {
  const text = await readPrivateFile(ca, { content: 'trusted', missing: 'hknock ca init' });
  const der = decodePem(text, 'CERTIFICATE');
  if (der === null) throw new HknockError('config', `${ca} holds no certificate in PEM`);
  const requireFreshCrl = crl !== null && onStale === 'closed';
  return {
    verifier: new CertificateVerifier({ ca: der, requireFreshCrl }),
    key: await readServerKey(key),
  };
}

/**
 * The server's own private key.
 * @throws {HknockError} `config` when the file is missing, wrong or open to others
 */
export async function readServerKey(path: string): Promise<KeyObject> {
  const text = await readKeyText(path);
  const key = parseKey(text);
  if (key?.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new HknockError(
    'config',
    `${path} holds no private key on P-256 ${isPkcs12(path) ? 'in PKCS#12' : 'in PEM without a password'}`,
  );
}

async function readKeyText(path: string): Promise<string> {
  const options = { content: 'secret', missing: 'hknock ca issue NAME --server' } as const;
  if (!isPkcs12(path)) return readPrivateFile(path, options);
  const password = process.env[PKCS12_PASSWORD] ?? '';
  return decodePkcs12(await readPrivateBytes(path, options), { path, password });
}

// the cause is left out: it may quote the file
function parseKey(text: string): KeyObject | null {
  try {
    return createPrivateKey(text);
  } catch {
    return null;
  }
}
