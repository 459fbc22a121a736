import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto';
import test from 'ava';
import { parseAddress } from '../../src/bytes/address.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { examine, type Verdict } from '../../src/certificate/examine.ts';
import { lobbyKeys } from '../../src/certificate/lobby.ts';
import { certificateProver } from '../../src/certificate/prover.ts';
import { CertificateResponder } from '../../src/certificate/responder.ts';
import { AgreementKey, pointOf } from '../../src/crypto/p256.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { type InitiatorContext, start, step } from '../../src/handshake/initiator.ts';
import type { Judgement } from '../../src/handshake/judgement.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import type { RequestBody } from '../../src/handshake/wire/request.ts';
import { CertificateVerifier } from '../../src/pki/verifier.ts';
import type { Outcome } from '../../src/units/knock.ts';
import type { LeaseOutcome } from '../../src/units/lease.ts';
import { type Endpoint, formatServicePort } from '../../src/units/network.ts';
import type { MonotonicMs, UnixMs } from '../../src/units/time.ts';
import { bytes, drawsFrom, readVectors } from './vector-file.ts';

type Vector = ReturnType<typeof readVectors<'certificate'>>[number];

for (const vector of readVectors('certificate')) {
  test(vector.name, (t) => {
    const { responder, verdictOn, setUnixMs } = responderFor(vector);
    for (const { atMs, source, datagram, expect, conclude, ...rest } of vector.steps) {
      const now = atMs as MonotonicMs;
      setUnixMs(rest.unixMs ?? vector.unixMs);
      const first = responder.receive(bytes(datagram), endpoint(source), now);
      let fault: string | undefined;
      let judged: Judgement;
      if (first.kind === 'examine') {
        const verdict = verdictOn(first.examination);
        if (verdict.kind === 'bad') fault = verdict.fault;
        const examinedAt = (rest.examinedAtMs ?? atMs) as MonotonicMs;
        judged = responder.judge(first.pending, verdict, examinedAt);
      } else judged = first;
      t.deepEqual(told(judged, fault), expect as unknown);
      if (conclude === undefined) continue;
      t.is(
        concluded(responder, judged, conclude.outcome),
        'grant' in conclude ? conclude.grant : conclude.answer,
      );
    }
  });
}

for (const { name, initiator, intermediate, steps } of readVectors('certificate')) {
  if (initiator === undefined || intermediate === undefined) continue;
  test(`${name}, the initiator's side`, (t) => {
    const context = contextFor(initiator, (message) => {
      t.is(toHex(message), intermediate.signedMessage);
      return bytes(intermediate.signature);
    });
    const [asked, answered] = steps;
    if (asked === undefined || answered === undefined) throw new Error('two steps');
    const now = 0 as MonotonicMs;
    const requesting = start(context, now);
    t.deepEqual(requesting.send.map(toHex), [asked.datagram]);
    const reply = 'reply' in asked.expect ? asked.expect.reply : '';
    const challenged = step(context, requesting.state, {
      event: { kind: 'datagram', bytes: bytes(reply) },
      now,
    });
    const responding = step(context, challenged.state, { event: { kind: 'proceed' }, now });
    t.deepEqual(responding.send.map(toHex), [answered.datagram]);
    const { conclude } = answered;
    const grant = bytes(conclude !== undefined && 'grant' in conclude ? conclude.grant : '');
    const { state } = step(context, responding.state, {
      event: { kind: 'datagram', bytes: grant },
      now,
    });
    if (state.kind !== 'concluded' || !('knock' in answered.expect)) throw new Error(state.kind);
    t.deepEqual(state.conclusion.outcome as unknown, answered.conclude?.outcome);
    t.is(toHex(state.conclusion.sessionSecret), answered.expect.knock.sessionSecret);
  });

  test(`${name}, intermediate values`, (t) => {
    const { lobby, statement, cookie, ephemeral, body } = intermediate;
    t.true(body.startsWith(statement.slice(0, 148) + cookie + ephemeral));
    const keys = lobbyKeys(bytes(initiator.responderPoint));
    const derived = deriveKeys({
      tag: bytes(lobby.tag),
      responderId: bytes(lobby.responderId),
      secret: bytes(lobby.secret),
    });
    t.deepEqual(
      [keys.tag, keys.responderId, keys.request].map(toHex),
      [derived.tag, derived.responderId, derived.request].map(toHex),
    );
  });
}

/** What is sent when the outcome of a knock or a lease is known. */
function concluded(
  responder: CertificateResponder,
  judged: Judgement,
  outcome: NonNullable<Vector['steps'][number]['conclude']>['outcome'],
): string | null {
  if (judged.kind === 'knock') return toHex(responder.conclude(judged.ticket, outcome as Outcome));
  if (judged.kind !== 'lease') return null;
  const answer = responder.concludeLease(judged.ticket, outcome as LeaseOutcome);
  return answer === null ? null : toHex(answer);
}

/** What a vector tells of a judgement. */
function told(judged: Judgement, fault: string | undefined): unknown {
  if (judged.kind === 'drop') return { drop: judged.reason, ...(fault && { fault }) };
  if (judged.kind === 'reply') return { reply: toHex(judged.bytes) };
  if (judged.kind === 'lease') {
    const { operation, grant, isLast } = judged.wish;
    return { lease: { operation, grant, isLast } };
  }
  const { service, admission, claimed, observed, authorised = [], sessionSecret } = judged.knock;
  const knock = {
    service,
    admission,
    claimed,
    observed,
    authorised: authorised.map(formatServicePort),
    sessionSecret: toHex(sessionSecret),
  };
  return { knock };
}

function responderFor({ responderKey, authority, unixMs, draws }: Vector) {
  const privateKey = privateKeyOf(bytes(responderKey));
  const ca = new CertificateVerifier({ ca: bytes(authority) });
  const key = AgreementKey.from(privateKey);
  let now = unixMs as UnixMs;
  const setUnixMs = (ms: number): void => {
    now = ms as UnixMs;
  };
  const plenty = { perSecond: 1000, burst: 1000 };
  const responder = new CertificateResponder({
    keys: lobbyKeys(pointOf(privateKey)),
    entropy: drawsFrom(draws.nonces, draws.cookieSecrets),
    limits: new KnockLimits(plenty, plenty),
    replayCapacity: 16,
    isGood: (der) => typeof ca.verify(der, now) !== 'string',
  });
  const verify = (der: Uint8Array) => ca.verify(der, now);
  const verdictOn = (examination: Parameters<typeof examine>[0]): Verdict =>
    examine(examination, { key, verify });
  return { responder, verdictOn, setUnixMs };
}

function contextFor(
  { responderPoint, certificate, wish, nonces, ephemeralKey }: NonNullable<Vector['initiator']>,
  sign: (message: Uint8Array) => Uint8Array,
): InitiatorContext {
  const point = bytes(responderPoint);
  return {
    keys: lobbyKeys(point),
    wish: wish as RequestBody,
    entropy: drawsFrom(nonces, [ephemeralKey]),
    prover: certificateProver({ certificate: bytes(certificate), responderPoint: point, sign }),
  };
}

function privateKeyOf(scalar: Uint8Array): KeyObject {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const text = (part: Uint8Array): string => Buffer.from(part).toString('base64url');
  const [x, y, d] = [text(point.subarray(1, 33)), text(point.subarray(33)), text(scalar)] as const;
  const key = { kty: 'EC', crv: 'P-256', x, y, d };
  return createPrivateKey({ key, format: 'jwk' });
}

function endpoint({ address, port }: { address: string; port: number }): Endpoint {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(address);
  return { address: parsed, port };
}
