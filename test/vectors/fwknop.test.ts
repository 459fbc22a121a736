import test from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import { spaDropReasons } from '../../src/fwknop/drop-reason.ts';
import { decodeMessage, encodeMessage } from '../../src/fwknop/message.ts';
import { openPacket, sealPacket, type SpaKeys, verifyPacket } from '../../src/fwknop/packet.ts';
import { SpaReplayRecord } from '../../src/fwknop/replay-record.ts';
import { type SpaJudgement, SpaResponder, type SpaTerms } from '../../src/fwknop/responder.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { type Endpoint, formatServicePort } from '../../src/units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../../src/units/time.ts';
import { bytes, readVectors } from './vector-file.ts';

type Vector = ReturnType<typeof readVectors<'fwknop'>>[number];

const vectors = readVectors('fwknop');
const alice = parsePeerName('alice');

for (const vector of vectors) {
  test(vector.name, (t) => {
    const { replayCapacity, knocksPerPeer } = vector.config;
    const perPeer = { perSecond: 0, burst: knocksPerPeer };
    const responder = new SpaResponder({
      limits: new KnockLimits(perPeer, { perSecond: 0, burst: 1000 }),
      replays: new SpaReplayRecord(replayCapacity),
    });
    for (const { packet, source, atUnixMs, expect } of vector.steps) {
      const arrival = {
        source: source as Endpoint,
        now: 0 as MonotonicMs,
        unixMs: atUnixMs as UnixMs,
      };
      const judged = responder.receive(Buffer.from(packet), termsOf(vector), arrival);
      t.deepEqual(told(judged), expect);
    }
  });
}

for (const { name, keys, intermediate, steps } of vectors) {
  if (intermediate === undefined) continue;
  test(`${name}, intermediate values and the way back`, (t) => {
    const packet = steps[0]?.packet ?? '';
    const text = verifyPacket(keysOf(keys), packet);
    t.is(text, intermediate.encrypted);
    const plaintext = openPacket(keysOf(keys), text ?? '') ?? new Uint8Array();
    t.is(Buffer.from(plaintext).toString(), intermediate.plaintext);

    const message = decodeMessage(plaintext);
    if (typeof message === 'string') throw new Error(message);
    t.is(Buffer.from(encodeMessage(message)).toString(), intermediate.plaintext);
    const sealed = sealPacket(keysOf(keys), bytes(intermediate.salt), plaintext);
    t.is(Buffer.from(sealed).toString(), packet);
  });
}

test('every reason for a drop has its vector', (t) => {
  const seen = new Set(
    vectors.flatMap(({ steps }) =>
      steps.map(({ expect }) => ('drop' in expect ? expect.drop : '')),
    ),
  );
  t.deepEqual(
    spaDropReasons.filter((reason) => !seen.has(reason)),
    [],
  );
});

function termsOf({ keys, services, config }: Vector): SpaTerms {
  const named = Object.entries(services);
  return {
    peers: [{ name: alice, keys: keysOf(keys) }],
    serviceOf: (port) => {
      const [name] = named.find(([, ports]) => ports.includes(formatServicePort(port))) ?? [];
      return name === undefined ? null : parseServiceName(name);
    },
    canLead: (port) => {
      const [first, last] = config.leading ?? [1, 0];
      return port >= first && port <= last;
    },
    upstreamOf: (port) =>
      (config.upstreams?.[formatServicePort(port)] as Endpoint | undefined) ?? null,
    mayRun: (_peer, name) => config.commands?.includes(name) ?? false,
    maxAgeMs: config.maxAgeMs as DurationMs,
    acceptsAnySource: config.acceptAnySource,
  };
}

function keysOf({ key, hmacKey, hmac }: Vector['keys']): SpaKeys {
  return { key: bytes(key), hmacKey: bytes(hmacKey), hmacType: hmac };
}

/** A judgement as the vectors write it. */
function told(judged: SpaJudgement): Vector['steps'][number]['expect'] {
  if (judged.kind === 'drop') return { drop: judged.reason };
  if (judged.kind === 'command') {
    const { name, source } = judged.command;
    return { command: { name, source } };
  }
  return {
    knocks: judged.knocks.map(({ service, port, observed, sessionSecret, ...rest }) => ({
      service,
      port: port === undefined ? '' : formatServicePort(port),
      observed,
      sessionSecret: toHex(sessionSecret),
      ...(rest.lifetimeMs !== undefined && { lifetimeMs: rest.lifetimeMs }),
      ...(rest.entrance !== undefined && { entrance: rest.entrance }),
    })),
  };
}
