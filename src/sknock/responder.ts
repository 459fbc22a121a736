import { familyOf } from '../bytes/address.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import type { ClientCertificate } from '../pki/certificate.ts';
import type { CertificateVerifier } from '../pki/verifier.ts';
import type { Knock } from '../units/knock.ts';
import type { ServiceName } from '../units/names.ts';
import type { Endpoint, IpAddress, ServicePort } from '../units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../units/time.ts';
import { decodeDatagram, MAX_LENGTH } from './datagram.ts';
import type { SknockDropReason } from './drop-reason.ts';
import type { GoodRequest, Holder, SknockExamination, SknockVerdict } from './examine.ts';
import type { ReplayCache, SeenRequest } from './replay-cache.ts';

/** What an Ethernet frame has before the UDP payload: its own header, that of IP by its version, and that of UDP. */
const FRAME_OVERHEAD = { 4: 14 + 20 + 8, 6: 14 + 40 + 8 } as const;

export interface SknockResponderOptions {
  readonly certificates: Pick<CertificateVerifier, 'verify'>;
  /** The service that has a port; null when none has. */
  readonly serviceOf: (port: ServicePort) => ServiceName | null;
  /** How far a request's time may be from ours, either way; whole seconds. */
  readonly windowMs: DurationMs;
  /** Whether the address in a request must be the one it comes from. */
  readonly checkAddress: boolean;
  /** Shortest Ethernet frame that is looked at, in bytes. */
  readonly minFrameLength: number;
  readonly limits: KnockLimits;
  readonly replays: ReplayCache;
}

export interface SknockDrop {
  readonly kind: 'drop';
  readonly reason: SknockDropReason;
  /** Whose certificate came with it, where that is the authority's. Only with `service`, `busy` and `limit` has the sender proven that it is his. */
  readonly holder: Holder | null;
}

export interface SknockKnock {
  readonly kind: 'knock';
  readonly knock: Knock;
  /** Must be where a restart finds it before the knock is admitted. */
  readonly seen: SeenRequest;
}

/** The public-key work that is to be done first. */
interface SknockExamine {
  readonly kind: 'examine';
  readonly examination: SknockExamination;
}

/** Where a datagram came from, and what time it is. */
export interface SknockArrival {
  readonly source: Endpoint;
  readonly unixMs: UnixMs;
  readonly monotonicMs: MonotonicMs;
}

/** The server's side of sKnock (sknock.md, section 5). Does no input or output, and no public-key work but that for a certificate it does not know yet. */
export class SknockResponder {
  readonly #options: SknockResponderOptions;

  constructor(options: SknockResponderOptions) {
    this.#options = options;
  }

  /** Judges one datagram by its form. Never throws for what a stranger may send. */
  receive(
    datagram: Uint8Array,
    { source: { address: source }, unixMs }: SknockArrival,
  ): SknockDrop | SknockExamine {
    // step 1
    if (!this.#isLongEnough(datagram.length, source)) return drop('length');
    if (datagram.length > MAX_LENGTH) return drop('length');
    // steps 1 to 4
    // a copy: it may have to wait, and the bytes are the network's
    const sealed = decodeDatagram(new Uint8Array(datagram));
    if (typeof sealed === 'string') return drop(sealed);
    const { windowMs, checkAddress } = this.#options;
    return { kind: 'examine', examination: { sealed, source, unixMs, windowMs, checkAddress } };
  }

  /** What becomes of a datagram that has been examined. @param arrival as of now: the examination may have had to wait */
  judge(verdict: SknockVerdict, arrival: SknockArrival): SknockDrop | SknockKnock {
    const { kind, seen } = verdict;
    // step 9: the examination goes on to step 12, but what it found there counts for nothing with a replay
    if (seen !== null && this.#isReplay(seen, arrival.unixMs)) return drop('replay');
    if (kind === 'bad') return drop(verdict.reason);
    // step 10, as the authority and its list of revoked certificates are now
    const certificate = this.#options.certificates.verify(verdict.certificate, arrival.unixMs);
    if (typeof certificate === 'string') return drop(certificate, verdict.holder);
    // steps 11 and 12
    if (kind === 'unproven') return drop(verdict.reason, verdict.holder);
    return this.#admit(verdict, certificate, arrival);
  }

  /** Steps 13 to 15. */
  #admit(
    { seen, holder, port, claimed, sessionSecret }: GoodRequest,
    { peer, authorised }: ClientCertificate,
    { source, monotonicMs }: SknockArrival,
  ): SknockDrop | SknockKnock {
    const { serviceOf, replays, limits } = this.#options;
    // step 13
    const service = serviceOf(port);
    if (service === null) return drop('service', holder);
    // step 14: what cannot be remembered must not be opened
    if (!replays.hasRoom()) return drop('busy', holder);
    // step 15: before the cache takes it in, which one client must not be able to fill for all
    if (!limits.take(peer, source.address, monotonicMs)) return drop('limit', holder);
    replays.add(seen);
    const knock: Knock = {
      peer,
      service,
      admission: null,
      observed: source,
      claimed: { address: claimed, port: 0 },
      sessionSecret,
      isUntold: true,
      authorised,
      port,
    };
    return { kind: 'knock', knock, seen };
  }

  #isReplay(seen: SeenRequest, now: UnixMs): boolean {
    const { replays, windowMs } = this.#options;
    replays.forgetBefore(Math.floor(now / 1000) - windowMs / 1000);
    return replays.has(seen);
  }

  #isLongEnough(length: number, source: IpAddress): boolean {
    return length + FRAME_OVERHEAD[familyOf(source)] >= this.#options.minFrameLength;
  }
}

function drop(reason: SknockDropReason, holder: Holder | null = null): SknockDrop {
  return { kind: 'drop', reason, holder };
}
