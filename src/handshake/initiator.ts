import { ENDPOINT_LENGTH } from '../bytes/address.ts';
import { concat } from '../bytes/bytes.ts';
import { NONCE_LENGTH } from '../crypto/aead.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Outcome } from '../units/knock.ts';
import type { Endpoint } from '../units/network.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import type { HandshakeKeys } from './keys.ts';
import { sessionSecret, transcriptHash } from './transcript.ts';
import { type ChallengeBody, decodeChallenge, observedEndpoint } from './wire/challenge.ts';
import { decodeGrant } from './wire/grant.ts';
import { encodeRequest, encodeRequestBody, type RequestBody } from './wire/request.ts';
import { encodeResponse } from './wire/response.ts';

/** How long to wait after each send before the next, and after the last before giving up (wire.md, section 6). */
export const RETRANSMIT_AFTER_MS = [250, 500, 1000, 2000, 4000] as const;

/** Where a handshake stands. Every state is a value; `step` makes the next one. */
export type InitiatorState =
  | { readonly kind: 'requesting'; readonly sent: Sent; readonly nonce: Uint8Array }
  | {
      readonly kind: 'challenged';
      readonly statement: Uint8Array;
      readonly cookie: Uint8Array;
      readonly observed: Endpoint;
    }
  | { readonly kind: 'responding'; readonly sent: Sent; readonly transcript: Uint8Array }
  | { readonly kind: 'concluded'; readonly conclusion: Conclusion }
  | { readonly kind: 'failed'; readonly reason: 'no-challenge' | 'no-grant' };

/** A datagram on its way, and when to send it again. */
interface Sent {
  readonly datagram: Uint8Array;
  readonly times: number;
  readonly nextAt: MonotonicMs;
}

/** What the handshake came to. */
export interface Conclusion {
  readonly outcome: Outcome;
  readonly observed: Endpoint;
  /** 32 bytes known to both sides only (P12). */
  readonly sessionSecret: Uint8Array;
}

export type InitiatorEvent =
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  /** Time has gone by; may come early or late. */
  | { readonly kind: 'timer' }
  /** Answer the challenge: only in state `challenged`. */
  | { readonly kind: 'proceed' };

/** The next state, and a datagram to send if there is one. */
export interface InitiatorStep {
  readonly state: InitiatorState;
  readonly send: Uint8Array | null;
}

/** What stays the same through one handshake. */
export interface InitiatorContext {
  readonly keys: HandshakeKeys;
  readonly wish: RequestBody;
  readonly entropy: Entropy;
}

/** Begins a handshake: the Request, to be sent at once. */
export function start(context: InitiatorContext, now: MonotonicMs): InitiatorStep {
  const nonce = context.entropy.bytes(NONCE_LENGTH);
  const datagram = encodeRequest(context.keys, nonce, encodeRequestBody(context.wish));
  return { state: { kind: 'requesting', sent: firstSent(datagram, now), nonce }, send: datagram };
}

/**
 * The initiator's side of the handshake (wire.md, section 6). What does not fit the state changes nothing:
 * no datagram, however wrong, can end a handshake (P7).
 */
export function step(
  context: InitiatorContext,
  state: InitiatorState,
  { event, now }: { readonly event: InitiatorEvent; readonly now: MonotonicMs },
): InitiatorStep {
  switch (event.kind) {
    case 'datagram':
      return { state: received(context, state, event.bytes), send: null };
    case 'timer':
      return onTimer(state, now);
    case 'proceed':
      return state.kind === 'challenged' ? respond(context, state, now) : { state, send: null };
  }
}

/** When `timer` should come next; null when the state waits for nothing. */
export function nextTimerAt(state: InitiatorState): MonotonicMs | null {
  return 'sent' in state ? state.sent.nextAt : null;
}

function received(
  context: InitiatorContext,
  state: InitiatorState,
  bytes: Uint8Array,
): InitiatorState {
  if (state.kind === 'requesting') return challenged(context, state.nonce, bytes) ?? state;
  if (state.kind === 'responding') return concluded(context, state.transcript, bytes) ?? state;
  return state;
}

function challenged(
  { keys, wish }: InitiatorContext,
  nonce: Uint8Array,
  bytes: Uint8Array,
): InitiatorState | null {
  const challenge = decodeChallenge(keys, nonce, bytes);
  const body = encodeRequestBody(wish);
  if (challenge === null || !repeatsClaim(challenge, body)) return null;
  const { nonce: responderNonce, observedAndIssuedAt, cookie } = challenge;
  const statement = concat(nonce, responderNonce, observedAndIssuedAt, body);
  return { kind: 'challenged', statement, cookie, observed: observedEndpoint(challenge) };
}

function repeatsClaim({ claimed }: ChallengeBody, requestBody: Uint8Array): boolean {
  return equalConstantTime(claimed, requestBody.subarray(0, ENDPOINT_LENGTH));
}

function respond(
  { keys, entropy }: InitiatorContext,
  { statement, cookie }: InitiatorState & { readonly kind: 'challenged' },
  now: MonotonicMs,
): InitiatorStep {
  const transcript = transcriptHash(keys, statement, cookie);
  const body = { statement, cookie, proof: keys.proof.of(transcript) };
  const datagram = encodeResponse(keys, entropy.bytes(NONCE_LENGTH), body);
  const state = { kind: 'responding', sent: firstSent(datagram, now), transcript } as const;
  return { state, send: datagram };
}

function concluded(
  { keys }: InitiatorContext,
  transcript: Uint8Array,
  bytes: Uint8Array,
): InitiatorState | null {
  const grant = decodeGrant(keys, transcript, bytes);
  if (grant === null) return null;
  const conclusion = { ...grant, sessionSecret: sessionSecret(keys, transcript) };
  return { kind: 'concluded', conclusion };
}

function onTimer(state: InitiatorState, now: MonotonicMs): InitiatorStep {
  if (!('sent' in state) || now < state.sent.nextAt) return { state, send: null };
  const { datagram, times } = state.sent;
  const wait = RETRANSMIT_AFTER_MS[times];
  if (wait === undefined) {
    const reason = state.kind === 'requesting' ? 'no-challenge' : 'no-grant';
    return { state: { kind: 'failed', reason }, send: null };
  }
  const sent = { datagram, times: times + 1, nextAt: later(now, wait) };
  return { state: { ...state, sent }, send: datagram };
}

function firstSent(datagram: Uint8Array, now: MonotonicMs): Sent {
  return { datagram, times: 1, nextAt: later(now, RETRANSMIT_AFTER_MS[0]) };
}
