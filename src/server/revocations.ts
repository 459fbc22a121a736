import type { CertificatesConfig } from '../config/server-config.ts';
import { isWebAddress } from '../config/load.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { encodePem, pemOrDer } from '../pki/pem.ts';
import {
  type CrlFault,
  isOlder,
  MAX_CRL_LENGTH,
  readRevocationList,
  type RevocationList,
} from '../pki/revocation-list.ts';
import type { CertificateVerifier } from '../pki/verifier.ts';
import { KeptCrl } from '../store/kept-crl.ts';
import { certificatePeerName, type PeerName } from '../units/names.ts';
import type { UnixMs } from '../units/time.ts';
import { readCrlSource } from './crl-source.ts';

const PEM_LABEL = 'X509 CRL';

/** As PEM: four characters for three bytes, line ends, and room for what people write around it. */
const MAX_FILE_LENGTH = MAX_CRL_LENGTH * 1.5;

/** How long an http server may take, from the first byte sent to the last received. */
const TIME_LIMIT_MS = 10_000;

/** After a failure a list is asked for again this soon, or after the usual time if that is sooner. */
const RETRY_MS = 60_000;

export interface RevocationsOptions {
  /** The server's folder. */
  readonly directory: string;
  readonly config: Pick<CertificatesConfig, 'crlRefreshMs' | 'onStale'> & { readonly crl: string };
  /** Told each list that is taken. */
  readonly verifier: CertificateVerifier;
  /** Ends the grants of peers whose certificates the list before did not have; `isFirst` when there was none before. */
  readonly closePeers: (
    revoked: readonly PeerName[],
    options: { readonly isFirst: boolean },
  ) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeLimitMs?: number;
}

/** What there is to know about the list, for people and for `hknock status --json`. */
export interface CrlStatus {
  /** Path or URL. */
  readonly source: string;
  /** The list that holds; null when there is none yet. */
  readonly list: {
    /** Decimal. */
    readonly number: string;
    readonly revoked: number;
    /** RFC 3339, as are the others. */
    readonly thisUpdate: string;
    readonly nextUpdate: string;
    readonly ageMs: number;
    readonly isStale: boolean;
  } | null;
  /** Why the last try to read it failed; null when it did not. */
  readonly lastFault: { readonly at: string; readonly fault: string } | null;
}

/** Keeps a verifier's list of revoked certificates up to date, from a file or over HTTP. */
export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #kept: KeptCrl;
  readonly #stopping = new AbortController();
  #list: RevocationList | null = null;
  #keptNumber: bigint | null = null;
  #lastFault: CrlStatus['lastFault'] = null;
  #timer: Timer | null = null;
  #refreshing: Promise<void> = Promise.resolve();

  /**
   * Takes the list that was kept, then the one that is published; for one on another machine it does not wait.
   * @throws {HknockError} `config` when the kept list cannot be read
   */
  static async start(options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(options);
    await revocations.#recall();
    await revocations.refresh();
    return revocations;
  }

  private constructor(options: RevocationsOptions) {
    this.#options = options;
    this.#kept = new KeptCrl(options.directory, MAX_FILE_LENGTH);
  }

  /** The list that holds; null when there is none yet. */
  get list(): RevocationList | null {
    return this.#list;
  }

  status(): CrlStatus {
    const now = this.#options.clock.unixMs();
    const list = this.#list;
    return {
      source: this.#options.config.crl,
      list: list === null ? null : statusOf(list, now),
      lastFault: this.#lastFault,
    };
  }

  /**
   * Reads the list again, and at intervals from then on. Resolves when that is done, or at once when it comes over HTTP:
   * a server that does not answer must not hold up a reload. What is wrong with it is logged.
   */
  async refresh(): Promise<void> {
    const done = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = done;
    if (!isWebAddress(this.#options.config.crl)) await done;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#refreshing;
  }

  async #recall(): Promise<void> {
    const text = await this.#kept.read();
    const list = text === null ? null : this.#read(Buffer.from(text));
    // one that does not verify is another authority's
    if (list === null || typeof list === 'string') return;
    this.#list = list;
    this.#keptNumber = list.number;
    this.#options.verifier.setRevocations(list);
  }

  async #refresh(): Promise<void> {
    if (this.#isStopped()) return;
    this.#timer?.cancel();
    const { crlRefreshMs } = this.#options.config;
    const isDone = await this.#tryNext();
    if (this.#isStopped()) return;
    this.#tellStale();
    const waitMs = isDone ? crlRefreshMs : Math.min(crlRefreshMs, RETRY_MS);
    this.#timer = this.#options.clock.after(waitMs, () => void this.refresh());
  }

  /** Gives whether the published list is the one that holds now, and is kept. */
  async #tryNext(): Promise<boolean> {
    try {
      const next = await this.#readPublished();
      if (next === null) return false;
      if (next.number !== this.#list?.number) await this.#take(next);
      await this.#keep(next);
      this.#lastFault = null;
      return true;
    } catch (fault) {
      if (this.#isStopped()) return false;
      this.#options.log.warn('crl not taken', { fault: messageOf(fault) });
      this.#setFault(messageOf(fault));
      return false;
    }
  }

  async #readPublished(): Promise<RevocationList | null> {
    const { config, log, timeLimitMs = TIME_LIMIT_MS } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(timeLimitMs)]);
    const file = await readCrlSource(config.crl, { maxLength: MAX_FILE_LENGTH, signal });
    const next = this.#read(file);
    if (typeof next !== 'string') return next;
    log.warn('crl refused', { reason: next, source: config.crl });
    this.#setFault(next);
    return null;
  }

  #read(file: Uint8Array): RevocationList | CrlFault {
    const der = pemOrDer(file, PEM_LABEL);
    if (der === null) return 'crl-malformed';
    const list = readRevocationList(der, this.#options.verifier.anchor);
    return typeof list !== 'string' && isOlder(list, this.#list) ? 'crl-older' : list;
  }

  async #take(next: RevocationList): Promise<void> {
    const { verifier, closePeers, log } = this.#options;
    const before = this.#list;
    // first of all: from here on no revoked certificate gets in
    verifier.setRevocations(next);
    this.#list = next;
    const added = [...next.serials].filter((serial) => before?.serials.has(serial) !== true);
    log.info('crl taken', {
      number: String(next.number),
      revoked: next.serials.size,
      added: added.length,
      next_update: dateOf(next),
    });
    const peers = added.map(certificatePeerName);
    await closePeers(peers, { isFirst: before === null }).catch((fault: unknown) => {
      log.error('who is revoked may be connected still', { fault: messageOf(fault) });
    });
  }

  /** After the peers are closed, so that after a crash in between they are closed again. */
  async #keep(list: RevocationList): Promise<void> {
    if (this.#keptNumber === list.number) return;
    await this.#kept.write(encodePem(list.der, PEM_LABEL));
    this.#keptNumber = list.number;
  }

  #setFault(fault: string): void {
    this.#lastFault = { at: rfc3339(this.#options.clock.unixMs()), fault };
  }

  #tellStale(): void {
    const { config, clock, log } = this.#options;
    if (this.#list !== null && clock.unixMs() < this.#list.nextUpdate) return;
    const effect = config.onStale === 'closed' ? 'no certificate gets in' : 'the last list holds';
    log.warn('crl stale', { next_update: dateOf(this.#list), effect });
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

function dateOf(list: RevocationList | null): string {
  return list === null ? 'there is no list' : rfc3339(list.nextUpdate);
}

function rfc3339(time: UnixMs): string {
  return new Date(time).toISOString();
}

function statusOf(list: RevocationList, now: UnixMs): CrlStatus['list'] {
  return {
    number: String(list.number),
    revoked: list.serials.size,
    thisUpdate: rfc3339(list.thisUpdate),
    nextUpdate: rfc3339(list.nextUpdate),
    ageMs: now - list.thisUpdate,
    isStale: now >= list.nextUpdate,
  };
}

function messageOf(fault: unknown): string {
  return fault instanceof HknockError ? fault.message : String(fault);
}
