import { connectDatagramSocket } from '../dgram-ext/connect.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { RETRANSMIT_AFTER_MS } from '../handshake/initiator.ts';
import { deriveLeaseId, deriveLeaseKeys, type LeaseKeys } from '../handshake/lease-keys.ts';
import { NONCE_LENGTH } from '../crypto/aead.ts';
import { decodeLeaseAnswer } from '../handshake/wire/lease-answer.ts';
import { encodeLease, type LeaseName } from '../handshake/wire/lease.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import type { LeaseOperation, LeaseOutcome } from '../units/lease.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';

/** A close that is lost does no harm: the grant ends in time. So nobody waits for it longer than for two tries. */
const CLOSE_AFTER_MS = RETRANSMIT_AFTER_MS.slice(0, 2);

export interface LeaseOptions {
  /** The responder that granted. */
  readonly remote: Endpoint;
  readonly tag: Uint8Array;
  readonly session: Uint8Array;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** The means to make a grant last, or to end it before its time (wire.md, section 5.3): for whoever knocked, and nobody else. */
export class Lease {
  readonly #options: LeaseOptions;
  #secrets: { readonly keys: LeaseKeys; readonly name: LeaseName } | null = null;
  #sequence = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /**
   * Lets the grant live for its whole lifetime again; gives its new end by our own clock.
   * @throws {HknockError} `refused` when it is over or of an admission that is not renewed, `firewall` when the server's
   * firewall failed, `no-answer`
   */
  async renew(): Promise<UnixMs> {
    // as with a knock: the server counts from later
    const askedAt = this.#options.clock.unixMs();
    const { status, lifetimeMs } = await this.#ask('renew', RETRANSMIT_AFTER_MS);
    if (status === 'done') return (askedAt + lifetimeMs) as UnixMs;
    throw notRenewed(status);
  }

  /**
   * Ends the grant; connections that it let in live on. Nothing more comes of it when it is over already.
   * @throws {HknockError} `firewall` when the server's firewall failed, `no-answer`
   */
  async close(): Promise<void> {
    const { status } = await this.#ask('close', CLOSE_AFTER_MS);
    if (status === 'failed') throw notRenewed(status);
  }

  async #ask(operation: LeaseOperation, waitsMs: readonly number[]): Promise<LeaseOutcome> {
    const { remote, entropy, clock, tag, session } = this.#options;
    this.#secrets ??= { keys: deriveLeaseKeys(session), name: { tag, id: deriveLeaseId(session) } };
    const { keys, name } = this.#secrets;
    const sequence = ++this.#sequence;
    const sealing = { key: keys.request, nonce: entropy.bytes(NONCE_LENGTH) };
    const datagram = encodeLease(name, sealing, { sequence, operation });
    const read = (bytes: Uint8Array) =>
      decodeLeaseAnswer({ ...name, sequence }, keys.answer, bytes);
    const socket = await connectDatagramSocket(remote);
    let timer: Timer | null = null;
    try {
      return await new Promise((resolve, reject) => {
        socket.listen((bytes) => {
          const outcome = read(bytes);
          if (outcome !== null) resolve(outcome);
        });
        const [local = remote] = socket.local;
        const sendAgain = ([waitMs, ...later]: readonly number[]): void => {
          if (waitMs === undefined) {
            reject(unanswered(remote));
            return;
          }
          socket.send(datagram, remote, local);
          timer = clock.after(waitMs, () => {
            sendAgain(later);
          });
        };
        sendAgain(waitsMs);
      });
    } finally {
      (timer as Timer | null)?.cancel();
      void socket.close();
    }
  }
}

function notRenewed(status: Exclude<LeaseOutcome['status'], 'done'>): HknockError {
  switch (status) {
    case 'over':
      return new HknockError('refused', 'the grant is over', { hint: 'knock again' });
    case 'refused':
      return new HknockError('refused', 'grants of this admission are not renewed', {
        hint: 'knock again for another connection',
      });
    case 'failed':
      return new HknockError('firewall', "the server's firewall did not take the change");
  }
}

function unanswered(remote: Endpoint): HknockError {
  return new HknockError('no-answer', `no answer from ${formatEndpoint(remote)} about the grant`, {
    hint: 'the server is down or has forgotten the grant, or our public address has changed: knock again',
  });
}
