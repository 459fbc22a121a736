// P1 to P12 of rationale.md as far as they are this mode's own; certificate.md, section 7.
import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { examine, type Trusted, type Verdict } from '../../../src/certificate/examine.ts';
import { lobbyKeys } from '../../../src/certificate/lobby.ts';
import { certificateProver } from '../../../src/certificate/prover.ts';
import {
  type CertificateJudgement,
  CertificateResponder,
} from '../../../src/certificate/responder.ts';
import { AgreementKey, pointOf, sign } from '../../../src/crypto/p256.ts';
import { KnockLimits } from '../../../src/guard/knock-limits.ts';
import type { InitiatorContext } from '../../../src/handshake/initiator.ts';
import { start, step } from '../../../src/handshake/initiator.ts';
import type { Judgement } from '../../../src/handshake/judgement.ts';
import { CHALLENGE_LIFE_MS } from '../../../src/handshake/challenger.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { certificatePeerName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import {
  at,
  attacker,
  flips,
  granted,
  inside,
  otherLengths,
  outside,
  START,
  wish,
} from '../../sim/exchange.ts';

const now = at(START + 40);
const responderKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const point = pointOf(responderKey.publicKey);
const certificate = new Uint8Array(450).fill(0x30);
const trusted: Trusted = {
  peer: certificatePeerName('a1'),
  publicKey: clientKey.publicKey,
  authorised: [parseServicePort('tcp/22')],
};
const plenty = { perSecond: 1e6, burst: 1e6 };

function responderOf(capacity = 16): CertificateResponder {
  const limits = new KnockLimits(plenty, plenty);
  const entropy = new FakeEntropy(7);
  return new CertificateResponder({
    keys: lobbyKeys(point),
    entropy,
    limits,
    replayCapacity: capacity,
  });
}

function contextOf(seed = 99): InitiatorContext {
  const signer = (message: Uint8Array): Uint8Array => sign(clientKey.privateKey, message);
  const prover = certificateProver({ certificate, responderPoint: point, sign: signer });
  return { keys: lobbyKeys(point), wish, entropy: new FakeEntropy(seed), prover };
}

/** A handshake whose Response is written and not yet received by anybody. */
function ask(responder: CertificateResponder, seed = 99) {
  const context = contextOf(seed);
  const first = start(context, START);
  const [request = new Uint8Array()] = first.send;
  const judged = responder.receive(request, outside, START);
  if (judged.kind !== 'reply') throw new Error(judged.kind);
  const event = { kind: 'datagram', bytes: judged.bytes } as const;
  const { state } = step(context, first.state, { event, now });
  const answered = step(context, state, { event: { kind: 'proceed' }, now });
  const [response = new Uint8Array()] = answered.send;
  return { context, request, challenge: judged.bytes, response, responding: answered.state };
}

function verdictOn(judged: CertificateJudgement & { kind: 'examine' }): Verdict {
  const key = AgreementKey.from(responderKey.privateKey);
  return examine(judged.examination, { key, verify: () => trusted });
}

/** Receives a Response and does its public-key work at once. */
function receive(responder: CertificateResponder, bytes: Uint8Array): Judgement {
  const judged = responder.receive(bytes, outside, now);
  return judged.kind === 'examine'
    ? responder.judge(judged.pending, verdictOn(judged), now)
    : judged;
}

function told(judged: CertificateJudgement): string {
  return judged.kind === 'drop' ? judged.reason : judged.kind;
}

test('P1 silence, T-16: every other length and every changed bit is dropped, and the true ones still count', (t) => {
  const responder = responderOf();
  const { request, response } = ask(responder);
  for (const message of [request, response]) {
    for (const bytes of [...otherLengths(message), ...flips(message)]) {
      t.is(responder.receive(bytes, outside, now).kind, 'drop');
    }
  }
  t.is(responder.pending, 0);
  t.is(responder.replayRecordSize, 0);
  t.is(told(receive(responder, response)), 'knock');
});

test('P2 and P9: no public-key work and nothing kept before the cookie, the source and the time are right', (t) => {
  const responder = responderOf();
  const { response } = ask(responder);
  t.is(told(responder.receive(response, attacker, now)), 'source');
  const late = at(START + CHALLENGE_LIFE_MS + 1);
  t.is(told(responder.receive(response, outside, late)), 'expired');
  const restarted = new CertificateResponder({
    keys: lobbyKeys(point),
    entropy: new FakeEntropy(8),
    limits: new KnockLimits(plenty, plenty),
    replayCapacity: 16,
  });
  t.is(told(restarted.receive(response, outside, now)), 'cookie');
  t.deepEqual([responder.pending, responder.replayRecordSize], [0, 0]);
  t.is(told(responder.receive(response, outside, now)), 'examine', 'positive control');
});

test('P3 no amplification, P8: lengths are fixed, and within 1200', (t) => {
  const responder = responderOf();
  const { request, challenge, response } = ask(responder);
  t.deepEqual([request.length, challenge.length, response.length], [100, 100, 1037]);
  const judged = receive(responder, response);
  if (judged.kind !== 'knock') throw new Error(judged.kind);
  t.is(responder.conclude(judged.ticket, granted).length, 126);
});

test('P4, P6 and P12: both sides agree, and a repeated Response gets the same Grant', (t) => {
  const responder = responderOf();
  const { context, response, responding } = ask(responder);
  const judged = receive(responder, response);
  if (judged.kind !== 'knock') throw new Error(judged.kind);
  t.like(judged.knock, { claimed: inside, observed: outside, authorised: trusted.authorised });
  t.is(told(responder.receive(response, outside, now)), 'pending');
  const grant = responder.conclude(judged.ticket, granted);
  t.deepEqual(responder.receive(response, outside, now), { kind: 'reply', bytes: grant });
  const event = { kind: 'datagram', bytes: grant } as const;
  const { state } = step(context, responding, { event, now });
  if (state.kind !== 'concluded') throw new Error(state.kind);
  t.deepEqual(state.conclusion.sessionSecret, judged.knock.sessionSecret);
  t.deepEqual(state.conclusion.outcome, granted);
});

test('P7 nothing cancels: a Response that could not be examined may come again', (t) => {
  const responder = responderOf();
  const { response } = ask(responder);
  const first = responder.receive(response, outside, now);
  if (first.kind !== 'examine') throw new Error(first.kind);
  t.is(told(responder.receive(response, outside, now)), 'pending');
  t.is(told(responder.abandon(first.pending)), 'overload');
  t.is(told(receive(responder, response)), 'knock');
});

test('P10 bound to the server: another key understands nothing', (t) => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const elsewhere = new CertificateResponder({
    keys: lobbyKeys(pointOf(other.publicKey)),
    entropy: new FakeEntropy(7),
    limits: new KnockLimits(plenty, plenty),
    replayCapacity: 16,
  });
  const { request, response } = ask(responderOf());
  t.is(told(elsewhere.receive(request, outside, now)), 'tag');
  t.is(told(elsewhere.receive(response, outside, now)), 'tag');
});
