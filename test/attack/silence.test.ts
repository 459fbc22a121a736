// T-01: somebody who knows that knocking is in use (B1) looks for the responder.
import test from 'ava';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { ascii, concat } from '../../src/bytes/bytes.ts';
import { FakeEntropy } from '../../src/host/fake-entropy.ts';
import { parsePeerName } from '../../src/units/names.ts';
import {
  alice,
  ask,
  at,
  attacker,
  bob,
  endpoint,
  flips,
  granted,
  knockIn,
  otherLengths,
  outside,
  replyTo,
  requestOf,
  responderOf,
  START,
  told,
} from '../sim/exchange.ts';

const now = at(START + 40);
const random = new FakeEntropy(404);
const unknown = { ...alice, tag: random.bytes(8), secret: random.bytes(32) };

/** What port scanners send to UDP ports: RFC 1035, 6347, 9000, 5905, 3261, and nothing at all. */
const probes: Readonly<Record<string, Uint8Array>> = {
  nothing: new Uint8Array(),
  'a DNS query': concat(Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0), ascii('\x07example\0')),
  'an NTP query': new Uint8Array(48).fill(0x1b, 0, 1),
  'a DTLS hello': concat(Uint8Array.of(22, 254, 253), new Uint8Array(97)),
  'a QUIC initial': new Uint8Array(1200).fill(0xc0, 0, 1),
  'a SIP request': ascii('OPTIONS sip:nm SIP/2.0\r\n\r\n'),
  'a Request of zeros': new Uint8Array(100),
  'a Response of zeros': new Uint8Array(222),
  'a Request of random bytes': random.bytes(100),
  'a Response of random bytes': random.bytes(222),
  'a Request of an unknown credential': requestOf({ as: unknown }),
  'a Request under a guessed secret': requestOf({ as: { ...alice, secret: new Uint8Array(32) } }),
  'a Request for another responder': requestOf({ as: { ...alice, responderId: random.bytes(16) } }),
  'a known tag, then random bytes': concat(alice.tag, random.bytes(92)),
  'a known tag, then a Response of random bytes': concat(alice.tag, random.bytes(214)),
  'a known tag alone': alice.tag,
};

for (const [name, bytes] of Object.entries(probes)) {
  test(`T-01: ${name} gets no answer, and leaves no trace`, (t) => {
    const responder = responderOf();
    for (const source of [outside, attacker, endpoint('2001:db8::66', 53)]) {
      t.is(responder.receive(bytes, source, now).kind, 'drop');
    }
    t.is(responder.replayRecordSize, 0);
    // positive control: the same harness gets an answer to the right datagram
    t.is(told(responder.receive(requestOf(), outside, now)), 'reply');
  });
}

test('T-01: every length from 0 to 1200 gets no answer', (t) => {
  const responder = responderOf();
  for (let length = 0; length <= 1200; length++) {
    const bytes = concat(alice.tag, new Uint8Array(length)).subarray(0, length);
    t.is(responder.receive(bytes, attacker, now).kind, 'drop', String(length));
  }
  t.is(told(responder.receive(requestOf(), attacker, now)), 'reply');
});

test('T-01: a recorded handshake, changed in any bit or cut anywhere, gets no answer', (t) => {
  const responder = responderOf();
  const { request, response } = ask(responder);
  for (const bytes of [request, response]) {
    for (const other of [...flips(bytes), ...otherLengths(bytes)]) {
      t.is(responder.receive(other, outside, now).kind, 'drop');
    }
  }
  knockIn(responder.receive(response, outside, now));
});

test('T-01: what the responder itself has sent gets no answer', (t) => {
  const responder = responderOf();
  const { challenge, response } = ask(responder);
  const { ticket } = knockIn(responder.receive(response, outside, now));
  const grant = responder.conclude(ticket, granted);
  for (const bytes of [challenge, grant]) {
    t.is(responder.receive(bytes, outside, now).kind, 'drop');
  }
  t.deepEqual(replyTo(responder.receive(response, outside, now)), grant, 'positive control');
});

test('T-01: a recorded Response gets no answer elsewhere or later', (t) => {
  const responder = responderOf();
  const { response } = ask(responder);
  const { ticket } = knockIn(responder.receive(response, outside, now));
  responder.conclude(ticket, granted);
  t.is(told(responder.receive(response, outside, now)), 'reply', 'positive control');
  t.is(told(responder.receive(response, attacker, now)), 'source');
  t.is(told(responder.receive(response, outside, at(START + 10_001))), 'expired');
  t.is(told(responder.receive(response, outside, at(START + 200_000))), 'cookie');
});

test('T-12: a revoked client is a stranger', (t) => {
  const peers = new PeerTable();
  peers.add(parsePeerName('alice'), alice);
  peers.add(parsePeerName('bob'), bob);
  const rate = { perSecond: 1, burst: 10 };
  const limits = new KnockLimits(rate, rate);
  const responder = new Responder({ peers, entropy: random, limits, replayCapacity: 4 });
  const { request, response } = ask(responder);
  peers.remove(alice.tag);
  t.is(told(responder.receive(request, outside, now)), 'tag');
  t.is(told(responder.receive(response, outside, now)), 'tag');
  t.is(told(responder.receive(requestOf({ as: bob }), outside, now)), 'reply', 'positive control');
});

// rationale.md, "What is not defended": presence
test('T-01, the limit: a recorded Request still gets a Challenge, which leads its finder no further', (t) => {
  const responder = responderOf();
  const { request, response } = ask(responder);
  const later = at(START + 3_600_000);
  const challenge = replyTo(responder.receive(request, attacker, later));
  t.true(challenge.length <= request.length);
  t.is(told(responder.receive(response, attacker, later)), 'cookie');
  t.is(responder.replayRecordSize, 0);
});
