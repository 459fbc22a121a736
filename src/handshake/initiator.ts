import { ENDPOINT_LENGTH } from '../bytes/address.ts';
import { concat } from '../bytes/bytes.ts';
import { NONCE_LENGTH } from '../crypto/aead.ts';
import { equalConstantTime } from '../crypto/mac.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Outcome } from '../units/knock.ts';
import type { Endpoint, IpAddress } from '../units/network.ts';
import { later, type MonotonicMs } from '../units/time.ts';
import type { HandshakeKeys } from './keys.ts';
import { sessionSecret, transcriptHash } from './transcript.ts';
import { type ChallengeBody, decodeChallenge, observedEndpoint } from './wire/challenge.ts';
import { decodeGrant } from './wire/grant.ts';
import { encodeRequest, encodeRequestBody, type RequestBody } from './wire/request.ts';
import { encodeResponse } from './wire/response.ts';

/** How long to wait after each send before the next, and after the last before giving up (wire.md, section 6). */
export const RETRANSMIT_AFTER_MS = [250, 500, 1000, 2000, 4000] as const;

/** After how many Requests one that has been seen at addresses only that it cannot have gives up: by then 750 ms have gone by. */
const REQUESTS_IF_UNEXPECTED = 2;

/** Challenges, each for another observed address, that one handshake answers at most. */
const MAX_CHALLENGES = 8;

/** Where a handshake stands. Every state is a value; `step` makes the next one. */
export type InitiatorState =
  | {
      readonly kind: 'requesting';
      readonly nonce: Uint8Array;
      readonly request: Uint8Array;
      readonly wait: Wait;
      /** Where a Challenge saw us that was not taken; null if none did. */
      readonly unexpected: Endpoint | null;
    }
  | {
      readonly kind: 'challenged';
      readonly nonce: Uint8Array;
      readonly challenges: readonly [Challenge, ...Challenge[]];
    }
  | {
      readonly kind: 'responding';
      readonly nonce: Uint8Array;
      readonly answers: readonly Answer[];
      /** Came after the first; each has its turn when those before it have not been granted in time (T-07). */
      readonly unanswered: readonly Challenge[];
      readonly wait: Wait;
    }
  | { readonly kind: 'concluded'; readonly conclusion: Conclusion }
  | { readonly kind: 'failed'; readonly reason: 'no-challenge' | 'no-grant' }
  | {
      readonly kind: 'failed';
      readonly reason: 'unexpected-address';
      readonly observed: Endpoint;
    };

/** A challenge that opened, and where it says we are. */
interface Challenge {
  readonly statement: Uint8Array;
  readonly cookie: Uint8Array;
  readonly observed: Endpoint;
}

/** A Response that was sent. */
interface Answer extends Proof {
  readonly observed: Endpoint;
}

/** A Response, and what its Grant opens with. */
export interface Proof {
  readonly response: Uint8Array;
  readonly transcript: Uint8Array;
  readonly keys: Pick<HandshakeKeys, 'grant' | 'session'>;
}

/** What a credential brings that is no pre-shared secret (certificate.md, section 5). */
export interface Prover {
  /** 52 bytes that the Request carries in place of the wish. */
  readonly requestBody: Uint8Array;
  /** Answers a challenge; the wish goes with the proof. */
  prove(challenge: Pick<Challenge, 'statement' | 'cookie'>, context: InitiatorContext): Proof;
}

/** How often the datagrams of a state have been sent, and when to send them again. */
interface Wait {
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

/** The next state, and the datagrams to send. */
export interface InitiatorStep {
  readonly state: InitiatorState;
  readonly send: readonly Uint8Array[];
}

/** What stays the same through one handshake. */
export interface InitiatorContext {
  readonly keys: HandshakeKeys;
  readonly wish: RequestBody;
  readonly entropy: Entropy;
  /** Whether we can have this address; any if not said. Challenges for others are never answered. */
  readonly canHave?: (observed: IpAddress) => boolean;
  /** When it is not the keys that prove who we are. */
  readonly prover?: Prover;
}

/** Begins a handshake: the Request, to be sent at once. */
export function start(context: InitiatorContext, now: MonotonicMs): InitiatorStep {
  const nonce = context.entropy.bytes(NONCE_LENGTH);
  const request = encodeRequest(context.keys, nonce, requestBody(context));
  const wait = firstWait(now);
  return { state: { kind: 'requesting', nonce, request, wait, unexpected: null }, send: [request] };
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
      return { state: received(context, state, event.bytes), send: [] };
    case 'timer':
      return onTimer(context, state, now);
    case 'proceed':
      return proceed(context, state, now);
  }
}

/** When `timer` should come next; null when the state waits for nothing. */
export function nextTimerAt(state: InitiatorState): MonotonicMs | null {
  return 'wait' in state ? state.wait.nextAt : null;
}

function received(
  context: InitiatorContext,
  state: InitiatorState,
  bytes: Uint8Array,
): InitiatorState {
  switch (state.kind) {
    case 'requesting': {
      const challenge = openChallenge(context, state.nonce, bytes);
      if (challenge === null) return state;
      // not the end yet: whoever repeats our Request from elsewhere could end every handshake so (P7)
      if (!isExpected(context, challenge)) return { ...state, unexpected: challenge.observed };
      return { kind: 'challenged', nonce: state.nonce, challenges: [challenge] };
    }
    case 'challenged': {
      const another = openAnother(context, state, { known: state.challenges, bytes });
      return another === null ? state : { ...state, challenges: [...state.challenges, another] };
    }
    case 'responding': {
      const conclusion = openGrant(context, state.answers, bytes);
      if (conclusion !== null) return { kind: 'concluded', conclusion };
      const known = [...state.answers, ...state.unanswered];
      const another = openAnother(context, state, { known, bytes });
      return another === null ? state : { ...state, unanswered: [...state.unanswered, another] };
    }
    default:
      return state;
  }
}

function requestBody({ prover, wish }: InitiatorContext): Uint8Array {
  return prover?.requestBody ?? encodeRequestBody(wish);
}

function openChallenge(
  context: InitiatorContext,
  nonce: Uint8Array,
  bytes: Uint8Array,
): Challenge | null {
  const challenge = decodeChallenge(context.keys, nonce, bytes);
  const body = requestBody(context);
  if (challenge === null || !repeatsClaim(challenge, body)) return null;
  const { nonce: responderNonce, observedAndIssuedAt, cookie } = challenge;
  const statement = concat(nonce, responderNonce, observedAndIssuedAt, body);
  return { statement, cookie, observed: observedEndpoint(challenge) };
}

function repeatsClaim({ claimed }: ChallengeBody, requestBody: Uint8Array): boolean {
  return equalConstantTime(claimed, requestBody.subarray(0, ENDPOINT_LENGTH));
}

function isExpected({ canHave }: InitiatorContext, { observed }: Challenge): boolean {
  return canHave === undefined || canHave(observed.address);
}

/** A further challenge counts when it is for an address that none of the known ones is for, and that we can have. */
function openAnother(
  context: InitiatorContext,
  { nonce }: { readonly nonce: Uint8Array },
  {
    known,
    bytes,
  }: { readonly known: readonly { observed: Endpoint }[]; readonly bytes: Uint8Array },
): Challenge | null {
  if (known.length >= MAX_CHALLENGES) return null;
  const challenge = openChallenge(context, nonce, bytes);
  if (challenge === null || !isExpected(context, challenge)) return null;
  const isKnown = known.some(({ observed }) => observed.address === challenge.observed.address);
  return isKnown ? null : challenge;
}

function openGrant(
  { wish }: InitiatorContext,
  answers: readonly Answer[],
  bytes: Uint8Array,
): Conclusion | null {
  for (const { keys, transcript } of answers) {
    const grant = decodeGrant(keys, transcript, bytes);
    if (grant === null || !keepsToWish(grant.outcome, wish)) continue;
    return { ...grant, sessionSecret: sessionSecret(keys, transcript) };
  }
  return null;
}

/** Who asked for an admission must not be given a wider one, and nobody a breadth that he did not ask for. */
function keepsToWish(outcome: Outcome, { admission, breadth }: RequestBody): boolean {
  if (outcome.kind === 'refused') return true;
  return outcome.breadth === breadth && (admission === null || outcome.admission === admission);
}

function proceed(
  context: InitiatorContext,
  state: InitiatorState,
  now: MonotonicMs,
): InitiatorStep {
  if (state.kind !== 'challenged') return { state, send: [] };
  const [first, ...unanswered] = state.challenges;
  const answers = [answer(context, first)];
  const { nonce } = state;
  return {
    state: { kind: 'responding', nonce, answers, unanswered, wait: firstWait(now) },
    send: answers.map(({ response }) => response),
  };
}

function answer(context: InitiatorContext, challenge: Challenge): Answer {
  const { prover } = context;
  const proof = prover === undefined ? prove(challenge, context) : prover.prove(challenge, context);
  return { ...proof, observed: challenge.observed };
}

function prove({ statement, cookie }: Challenge, { keys, entropy }: InitiatorContext): Proof {
  const transcript = transcriptHash(keys, statement, cookie);
  const body = { statement, cookie, proof: keys.proof.of(transcript) };
  const response = encodeResponse(keys, entropy.bytes(NONCE_LENGTH), body);
  return { response, transcript, keys };
}

function onTimer(
  context: InitiatorContext,
  state: InitiatorState,
  now: MonotonicMs,
): InitiatorStep {
  if (!('wait' in state) || now < state.wait.nextAt) return { state, send: [] };
  const { times } = state.wait;
  if (state.kind === 'requesting' && state.unexpected !== null && times >= REQUESTS_IF_UNEXPECTED) {
    const observed = state.unexpected;
    return { state: { kind: 'failed', reason: 'unexpected-address', observed }, send: [] };
  }
  const waitMs = RETRANSMIT_AFTER_MS[times];
  if (waitMs === undefined) {
    const reason = state.kind === 'requesting' ? 'no-challenge' : 'no-grant';
    return { state: { kind: 'failed', reason }, send: [] };
  }
  const wait = { times: times + 1, nextAt: later(now, waitMs) };
  if (state.kind === 'requesting') return { state: { ...state, wait }, send: [state.request] };
  // all at once: one each time would never come to the last ones (T-07)
  const answers = [...state.answers, ...state.unanswered.map((each) => answer(context, each))];
  const send = answers.map(({ response }) => response);
  return { state: { ...state, answers, unanswered: [], wait }, send };
}

function firstWait(now: MonotonicMs): Wait {
  return { times: 1, nextAt: later(now, RETRANSMIT_AFTER_MS[0]) };
}
