import test from 'ava';
import { concat } from '../../../src/bytes/bytes.ts';
import { dropReasons } from '../../../src/errors/drop-reason.ts';
import { CHALLENGE_LIFE_MS } from '../../../src/handshake/challenger.ts';
import { drops } from '../../../src/handshake/judgement.ts';
import { deriveKeys } from '../../../src/handshake/keys.ts';
import { decodeResponse, encodeResponse } from '../../../src/handshake/wire/response.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import {
  alice,
  ask,
  at,
  attacker,
  knockIn,
  outside,
  responderOf,
  START,
} from '../../sim/exchange.ts';

const keys = deriveKeys(alice);
const nonce = new FakeEntropy(3).bytes(24);
const spoilt = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);

test('P9: what is wrong in every way ends at the first step, and mended in one at the next (wire.md, section 5.1)', (t) => {
  const responder = responderOf();
  const { response } = ask(responder);
  const right = decodeResponse(keys, response);
  if (right === null) throw new Error('the Response does not open');
  const { statement, cookie } = right;
  const sealed = (body: Pick<typeof right, 'statement' | 'cookie' | 'proof'>): Uint8Array =>
    encodeResponse(keys, nonce, body);
  const proof = spoilt(right.proof);
  const late = at(START + CHALLENGE_LIFE_MS + 1);
  const fresh = ask(responder, { seed: 5 });
  const repeated = sealed({ statement, cookie, proof });

  const reached = [
    { bytes: new Uint8Array(223), from: attacker, now: late },
    { bytes: new Uint8Array(222), from: attacker, now: late },
    { bytes: concat(alice.tag, new Uint8Array(214)), from: attacker, now: late },
    {
      bytes: sealed({ statement: spoilt(statement), cookie: spoilt(cookie), proof }),
      from: attacker,
      now: late,
    },
    { bytes: sealed({ statement, cookie: spoilt(cookie), proof }), from: attacker, now: late },
    { bytes: repeated, from: attacker, now: late },
    { bytes: repeated, from: outside, now: late },
  ].map(({ bytes, from, now }) => responder.receive(bytes, from, now));
  knockIn(responder.receive(response, outside, START));
  reached.push(responder.receive(repeated, outside, START));
  const unproven = decodeResponse(keys, fresh.response);
  if (unproven === null) throw new Error('the Response does not open');
  reached.push(responder.receive(sealed({ ...unproven, proof }), outside, START));

  const steps = [
    'length',
    'tag',
    'mac',
    'malformed',
    'cookie',
    'source',
    'expired',
    'pending',
    'proof',
  ] as const;
  // the very objects: nothing is made to say no
  reached.forEach((judged, step) => {
    t.is(judged, drops[steps[step] ?? 'limit'], `step ${String(step + 1)}`);
  });
  t.is(reached.length, steps.length);
  t.deepEqual(
    dropReasons.filter((reason) => (steps as readonly string[]).includes(reason)),
    steps,
    'the counts are shown in this order',
  );
  knockIn(responder.receive(fresh.response, outside, START));
});
