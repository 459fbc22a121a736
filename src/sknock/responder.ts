import { hash, type KeyObject } from 'node:crypto';
import { familyOf } from '../bytes/address.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import { isSignedInDer } from '../crypto/p256.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import type { ClientCertificate } from '../pki/certificate.ts';
import type { CertificateVerifier } from '../pki/verifier.ts';
import type { Knock } from '../units/knock.ts';
import type { ServiceName } from '../units/names.ts';
import {
  type Endpoint,
  formatServicePort,
  type IpAddress,
  type ServicePort,
} from '../units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../units/time.ts';
import { decodeClientAddress, encodeClientAddress } from './client-address.ts';
import { decodeDatagram } from './datagram.ts';
import type { SknockDropReason } from './drop-reason.ts';
import { RequestOpener } from './ecies.ts';
import type { ReplayCache, SeenRequest } from './replay-cache.ts';
import { decodeSignedRequest, type SignedRequest } from './signed-request.ts';

/** Longest datagram that is looked at. */
const MAX_LENGTH = 1200;

/** What an Ethernet frame has before the UDP payload: its own header, that of IP by its version, and that of UDP. */
const FRAME_OVERHEAD = { 4: 14 + 20 + 8, 6: 14 + 40 + 8 } as const;

export interface SknockResponderOptions {
  /** Of the server's certificate, on P-256. */
  readonly privateKey: KeyObject;
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

/** What is to be done about a datagram. Never anything to send. */
export type SknockJudgement = SknockDrop | SknockKnock;

interface SknockDrop {
  readonly kind: 'drop';
  readonly reason: SknockDropReason;
  /** The authority's word on who sent it, where it came that far. Only with `service`, `busy` and `limit` has the sender proven that it is true. */
  readonly certificate: ClientCertificate | null;
}

interface SknockKnock {
  readonly kind: 'knock';
  readonly knock: Knock;
  /** Must be where a restart finds it before the knock is admitted. */
  readonly seen: SeenRequest;
}

/** A datagram with where it came from and when. */
export interface SknockArrival {
  readonly source: Endpoint;
  readonly unixMs: UnixMs;
  readonly monotonicMs: MonotonicMs;
}

/** The server's side of sKnock (sknock.md, section 5). Does no input or output. */
export class SknockResponder {
  readonly #options: SknockResponderOptions;
  readonly #opener: RequestOpener;

  constructor(options: SknockResponderOptions) {
    this.#options = options;
    this.#opener = new RequestOpener(options.privateKey);
  }

  /** Judges one datagram, in the paper's order. Never throws for what a stranger may send. */
  receive(datagram: Uint8Array, arrival: SknockArrival): SknockJudgement {
    // step 1
    if (!this.#isLongEnough(datagram.length, arrival.source.address)) return drop('length');
    if (datagram.length > MAX_LENGTH) return drop('length');
    // steps 1 to 4
    const sealed = decodeDatagram(datagram);
    if (typeof sealed === 'string') return drop(sealed);
    // steps 4 and 5
    const opened = this.#opener.open(sealed);
    if (typeof opened === 'string') return drop(opened);
    // step 6
    const request = decodeSignedRequest(opened.plaintext);
    if (request === null) return drop('malformed');
    const seen = { issuedAtUnixS: request.issuedAtUnixS, digest: digestOf(opened.plaintext) };
    const early = this.#checkCheaply(request, seen, arrival);
    if (early !== null) return drop(early);
    return this.#checkKeys(request, { seen, arrival, sessionSecret: opened.sessionSecret });
  }

  /** Steps 7 to 9: what costs next to nothing. */
  #checkCheaply(
    { issuedAtUnixS, addressBytes }: SignedRequest,
    seen: SeenRequest,
    { source, unixMs }: SknockArrival,
  ): SknockDropReason | null {
    const { windowMs, checkAddress, replays } = this.#options;
    const nowS = Math.floor(unixMs / 1000);
    if (Math.abs(nowS - issuedAtUnixS) * 1000 > windowMs) return 'timestamp';
    if (checkAddress && !equalConstantTime(addressBytes, encodeClientAddress(source.address))) {
      return 'address';
    }
    replays.forgetBefore(nowS - windowMs / 1000);
    return replays.has(seen) ? 'replay' : null;
  }

  /** Steps 10 to 15. */
  #checkKeys(request: SignedRequest, { seen, arrival, sessionSecret }: Checked): SknockJudgement {
    const { certificates, serviceOf, replays, limits } = this.#options;
    // step 10
    const certificate = certificates.verify(request.certificate, arrival.unixMs);
    if (typeof certificate === 'string') return drop(certificate);
    // step 11
    if (!allows(certificate, request.port)) return drop('port', certificate);
    // step 12
    const { signed, signature } = request;
    if (!isSignedInDer(certificate.publicKey, signed, signature)) {
      return drop('signature', certificate);
    }
    // step 13
    const service = serviceOf(request.port);
    if (service === null) return drop('service', certificate);
    // step 14: what cannot be remembered must not be opened
    if (!replays.hasRoom()) return drop('busy', certificate);
    // step 15: before the cache takes it in, which one client must not be able to fill for all
    const { source, monotonicMs } = arrival;
    if (!limits.take(certificate.peer, source.address, monotonicMs)) {
      return drop('limit', certificate);
    }
    replays.add(seen);
    const knock: Knock = {
      peer: certificate.peer,
      service,
      admission: null,
      observed: source,
      claimed: { address: decodeClientAddress(request.addressBytes), port: 0 },
      sessionSecret,
      authorised: certificate.authorised,
      port: request.port,
    };
    return { kind: 'knock', knock, seen };
  }

  #isLongEnough(length: number, source: IpAddress): boolean {
    return length + FRAME_OVERHEAD[familyOf(source)] >= this.#options.minFrameLength;
  }
}

interface Checked {
  readonly seen: SeenRequest;
  readonly arrival: SknockArrival;
  readonly sessionSecret: Uint8Array;
}

/**
 * Of what the request says, not of the datagram: the version may be lowered and the ephemeral point negated on the way, and the
 * request that is inside stays the same.
 */
function digestOf(plaintext: Uint8Array): string {
  return hash('sha256', plaintext, 'hex').slice(0, 32);
}

function allows({ authorised }: ClientCertificate, port: ServicePort): boolean {
  const wanted = formatServicePort(port);
  return authorised.some((each) => formatServicePort(each) === wanted);
}

function drop(reason: SknockDropReason, certificate: ClientCertificate | null = null): SknockDrop {
  return { kind: 'drop', reason, certificate };
}
