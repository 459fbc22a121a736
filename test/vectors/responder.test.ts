import test from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import { parseAddress } from '../../src/bytes/address.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import type { Outcome } from '../../src/units/knock.ts';
import type { LeaseOutcome } from '../../src/units/lease.ts';
import { parsePeerName } from '../../src/units/names.ts';
import type { Endpoint } from '../../src/units/network.ts';
import type { MonotonicMs } from '../../src/units/time.ts';
import { bytes, drawsFrom, readVectors } from './vector-file.ts';

type Vector = ReturnType<typeof readVectors<'responder'>>[number];

for (const vector of readVectors('responder')) {
  test(vector.name, (t) => {
    const responder = responderFor(vector);
    for (const { atMs, source, datagram, expect, conclude } of vector.steps) {
      const judged = responder.receive(bytes(datagram), endpoint(source), atMs as MonotonicMs);
      if (judged.kind === 'drop') t.deepEqual({ drop: judged.reason }, expect as unknown);
      if (judged.kind === 'reply') t.deepEqual({ reply: toHex(judged.bytes) }, expect as unknown);
      if (judged.kind === 'lease') {
        const { peer, ...wish } = judged.wish;
        t.is(peer, parsePeerName('alice'));
        t.deepEqual({ lease: wish }, expect as unknown);
        if (conclude === undefined || !('answer' in conclude)) continue;
        const answer = responder.concludeLease(judged.ticket, conclude.outcome as LeaseOutcome);
        t.is(answer && toHex(answer), conclude.answer);
      }
      if (judged.kind !== 'knock') continue;
      const { peer, sessionSecret, ...knock } = judged.knock;
      t.is(peer, parsePeerName('alice'));
      t.deepEqual({ knock: { ...knock, sessionSecret: toHex(sessionSecret) } }, expect as unknown);
      if (conclude === undefined || !('grant' in conclude)) continue;
      const grant = responder.conclude(judged.ticket, conclude.outcome as Outcome);
      t.is(toHex(grant), conclude.grant);
    }
  });
}

// The values on the way are in the vectors for whoever writes a second implementation; they must be the ones on the wire.
for (const { name, intermediate } of readVectors('responder')) {
  if (intermediate === undefined) continue;
  test(`${name}, intermediate values`, (t) => {
    const { statement, cookie, proof, responseBody, requestBody } = intermediate;
    t.is(statement + cookie + proof, responseBody);
    t.true(statement.endsWith(requestBody));
  });
}

function responderFor({ credential, draws, replayCapacity, knocksPerPeer }: Vector): Responder {
  const peers = new PeerTable();
  peers.add(parsePeerName('alice'), {
    tag: bytes(credential.tag),
    secret: bytes(credential.secret),
    responderId: bytes(credential.responderId),
  });
  const entropy = drawsFrom(draws.nonces, draws.cookieSecrets);
  const plenty = { perSecond: 1000, burst: 1000 };
  const perPeer = knocksPerPeer === undefined ? plenty : { perSecond: 0, burst: knocksPerPeer };
  const limits = new KnockLimits(perPeer, plenty);
  return new Responder({ peers, entropy, limits, replayCapacity });
}

function endpoint({ address, port }: { address: string; port: number }): Endpoint {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(address);
  return { address: parsed, port };
}
