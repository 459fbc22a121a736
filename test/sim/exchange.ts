// One handshake, message by message: what the tests of both sides begin with.
import { parseAddress } from '../../src/bytes/address.ts';
import { FakeEntropy } from '../../src/host/fake-entropy.ts';
import type { Credential } from '../../src/handshake/credential.ts';
import {
  type Conclusion,
  type InitiatorContext,
  type InitiatorState,
  start,
  step,
} from '../../src/handshake/initiator.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import type { Rate } from '../../src/guard/token-buckets.ts';
import type { Judgement } from '../../src/handshake/judgement.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { deriveLeaseId, deriveLeaseKeys } from '../../src/handshake/lease-keys.ts';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import { decodeLeaseAnswer } from '../../src/handshake/wire/lease-answer.ts';
import { encodeLease } from '../../src/handshake/wire/lease.ts';
import type { RequestBody } from '../../src/handshake/wire/request.ts';
import type { Granted, Refused } from '../../src/units/knock.ts';
import type { LeaseOperation } from '../../src/units/lease.ts';
import { type GrantId, parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { type Endpoint, parseServicePort } from '../../src/units/network.ts';
import type { DurationMs, MonotonicMs } from '../../src/units/time.ts';

export type Knocking = Judgement & { readonly kind: 'knock' };

/** In the middle of an epoch of the cookie secrets. */
export const START = 600_030_000 as MonotonicMs;

export const inside = endpoint('192.168.77.23', 51_000);
export const outside = endpoint('203.0.113.7', 40_001);
export const attacker = endpoint('198.51.100.66', 6_666);

export const wish: RequestBody = {
  claimed: inside,
  service: parseServiceName('web-admin-of-the-lab'),
  admission: 'once',
};

export const granted: Granted = {
  kind: 'granted',
  admissionPort: null,
  grant: '0123456789abcdef' as GrantId,
  admission: 'once',
  lifetimeMs: 30_000 as DurationMs,
  ports: [parseServicePort('tcp/22'), parseServicePort('udp/51820')],
};

export const refused: Refused = { kind: 'refused', reason: 'service-refused', acceptable: [] };

export const alice = credential(1);
export const bob = credential(2);

export function endpoint(text: string, port: number): Endpoint {
  const address = parseAddress(text);
  if (address === null) throw new Error(text);
  return { address, port };
}

export function at(ms: number): MonotonicMs {
  return ms as MonotonicMs;
}

/** A credential for each number, all for the same responder. */
export function credential(number: number): Credential {
  return {
    tag: Uint8Array.from([...new Uint8Array(6).fill(0xa0), number >> 8, number & 0xff]),
    secret: new FakeEntropy(1000 + number).bytes(32),
    responderId: new Uint8Array(16).fill(0x5e),
  };
}

interface ResponderOf {
  readonly capacity?: number;
  readonly seed?: number;
  readonly credentials?: readonly Credential[];
  readonly perPeer?: Rate;
}

const plenty: Rate = { perSecond: 1e6, burst: 1e6 };

/** Knows alice and bob, if nobody else is named. */
export function responderOf(options: ResponderOf = {}): Responder {
  const { capacity = 16, seed = 7, credentials = [alice, bob], perPeer = plenty } = options;
  const peers = new PeerTable();
  credentials.forEach((each, index) => {
    peers.add(parsePeerName(['alice', 'bob'][index] ?? `peer${String(index)}`), each);
  });
  return new Responder({
    peers,
    entropy: new FakeEntropy(seed),
    limits: new KnockLimits(perPeer, plenty),
    replayCapacity: capacity,
  });
}

interface ContextOf {
  readonly as?: Credential;
  readonly wish?: RequestBody;
  readonly seed?: number;
}

export function contextOf(options: ContextOf = {}): InitiatorContext {
  const { as = alice, seed = 99 } = options;
  return { keys: deriveKeys(as), wish: options.wish ?? wish, entropy: new FakeEntropy(seed) };
}

interface Asking extends ContextOf {
  readonly from?: Endpoint;
  readonly now?: MonotonicMs;
}

/** A handshake whose Response is written and not yet received by anybody. */
export interface Asked {
  readonly context: InitiatorContext;
  readonly requesting: InitiatorState;
  readonly challenged: InitiatorState;
  readonly responding: InitiatorState;
  readonly request: Uint8Array;
  readonly challenge: Uint8Array;
  readonly response: Uint8Array;
}

/** Carries a handshake as far as the Response. */
export function ask(responder: Responder, options: Asking = {}): Asked {
  const { from = outside, now = START } = options;
  const context = contextOf(options);
  const first = start(context, now);
  const request = onlyOne(first.send);
  const challenge = replyTo(responder.receive(request, from, now));
  const challenged = take(context, first.state, challenge);
  const answer = step(context, challenged, { event: { kind: 'proceed' }, now });
  return {
    context,
    requesting: first.state,
    challenged,
    responding: answer.state,
    request,
    challenge,
    response: onlyOne(answer.send),
  };
}

/** The bytes of a Request. */
export function requestOf(options: ContextOf = {}): Uint8Array {
  return onlyOne(start(contextOf(options), START).send);
}

/** What the initiator is after a datagram. */
export function take(
  context: InitiatorContext,
  state: InitiatorState,
  bytes: Uint8Array,
): InitiatorState {
  return step(context, state, { event: { kind: 'datagram', bytes }, now: START }).state;
}

/** Where the initiator has been told that it is. */
export function observedBy(state: InitiatorState): readonly Endpoint[] {
  return state.kind === 'challenged' ? state.challenges.map(({ observed }) => observed) : [];
}

/** The conclusion that a Grant brings; throws when it brings none. */
export function conclusionOf({ context, responding }: Asked, grant: Uint8Array): Conclusion {
  const state = take(context, responding, grant);
  if (state.kind !== 'concluded') throw new Error(state.kind);
  return state.conclusion;
}

export function replyTo(judged: Judgement): Uint8Array {
  if (judged.kind !== 'reply') throw new Error(`no reply, but ${told(judged)}`);
  return judged.bytes;
}

export function knockIn(judged: Judgement): Knocking {
  if (judged.kind !== 'knock') throw new Error(`no knock, but ${told(judged)}`);
  return judged;
}

/** A word for what became of a datagram: the reason of a drop, or `reply`, `knock` or `lease`. */
export function told(judged: Judgement): string {
  return judged.kind === 'drop' ? judged.reason : judged.kind;
}

interface LeaseOf {
  readonly as?: Credential;
  readonly sequence?: number;
  readonly operation?: LeaseOperation;
}

/** A Lease of a session, and how its answer is read. */
export function leaseOf(session: Uint8Array, options: LeaseOf = {}) {
  const { as = alice, sequence = 1, operation = 'renew' } = options;
  const keys = deriveLeaseKeys(session);
  const whose = { tag: as.tag, id: deriveLeaseId(session) };
  const seal = { key: keys.request, nonce: new FakeEntropy(sequence).bytes(24) };
  return {
    bytes: encodeLease(whose, seal, { sequence, operation }),
    read: (answer: Uint8Array = new Uint8Array()) =>
      decodeLeaseAnswer({ ...whose, sequence }, keys.answer, answer),
  };
}

/** Every datagram that differs in one bit. */
export function* flips(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const other = Uint8Array.from(bytes);
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield other;
  }
}

/** Every beginning of a datagram, and what is one or two bytes longer. */
export function* otherLengths(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length);
  yield Uint8Array.from([...bytes, 0]);
  yield Uint8Array.from([...bytes, 0, 0]);
}

function onlyOne(datagrams: readonly Uint8Array[]): Uint8Array {
  const [datagram] = datagrams;
  if (datagram === undefined || datagrams.length > 1) throw new Error(String(datagrams.length));
  return datagram;
}
