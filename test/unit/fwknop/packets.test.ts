import test from 'ava';
import fc from 'fast-check';
import { decodeAccess, encodeAccess } from '../../../src/fwknop/access.ts';
import { digestOf } from '../../../src/fwknop/digest.ts';
import { createPacket } from '../../../src/fwknop/initiator.ts';
import { decodeMessage, encodeMessage, spaTypes } from '../../../src/fwknop/message.ts';
import { isPacketText, openPacket, sealPacket, verifyPacket } from '../../../src/fwknop/packet.ts';
import { SpaReplayRecord } from '../../../src/fwknop/replay-record.ts';
import { SpaResponder, type SpaTerms } from '../../../src/fwknop/responder.ts';
import { KnockLimits } from '../../../src/guard/knock-limits.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { hmacTypes } from '../../../src/units/hmac-type.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../../../src/units/time.ts';
import { address } from '../grants/plans.ts';

const keys = {
  key: new Uint8Array(32).fill(1),
  hmacKey: new Uint8Array(64).fill(2),
  hmacType: 'sha256',
} as const;
const entropy = new FakeEntropy(3);
const unixMs = 1_800_000_000_000 as UnixMs;
const source = { address: address('198.51.100.7'), port: 4711 };
const arrival = { source, unixMs, now: 0 as MonotonicMs };
const request = {
  user: 'alice',
  source: address('192.0.2.7'),
  ports: [parseServicePort('tcp/22')],
  timeoutMs: null,
};
const terms: SpaTerms = {
  peers: [{ name: parsePeerName('alice'), keys }],
  serviceOf: () => parseServiceName('ssh'),
  canLead: () => false,
  upstreamOf: () => null,
  mayRun: () => false,
  maxAgeMs: 120_000 as DurationMs,
  acceptsAnySource: false,
};

function responder(replays = new SpaReplayRecord(16)): SpaResponder {
  const limit = { perSecond: 1000, burst: 1000 };
  return new SpaResponder({ limits: new KnockLimits(limit, limit), replays });
}

test('what one side makes of any wish, with any keys, the other reads', (t) => {
  const ports = fc
    .tuple(fc.constantFrom('tcp', 'udp'), fc.integer({ min: 1, max: 65_535 }))
    .map(([protocol, port]) => parseServicePort(`${protocol}/${String(port)}`));
  const any = fc.record({
    key: fc.uint8Array({ minLength: 1, maxLength: 32 }),
    hmacKey: fc.uint8Array({ minLength: 1, maxLength: 128 }),
    hmacType: fc.constantFrom(...hmacTypes),
    user: fc.stringMatching(/^[\x20-\x7e]{1,64}$/),
    source: fc.option(fc.ipV4().filter((each) => each !== '0.0.0.0')),
    ports: fc.array(ports, { minLength: 1, maxLength: 16 }),
    timeoutMs: fc.option(fc.integer({ min: 0, max: 65_536 }).map((s) => (s * 1000) as DurationMs)),
  });
  fc.assert(
    fc.property(any, ({ key, hmacKey, hmacType, source: from, ...rest }) => {
      const own = { key, hmacKey, hmacType };
      const wish = { ...rest, source: from === null ? null : address(from) };
      const packet = Buffer.from(createPacket(own, wish, { entropy, unixMs })).toString();
      t.true(isPacketText(packet));
      const message = decodeMessage(openPacket(own, verifyPacket(own, packet) ?? '') ?? unopened());
      if (typeof message === 'string') throw new Error(message);
      t.is(message.user, wish.user);
      t.is(message.timestamp, unixMs / 1000);
      t.is(message.timeoutSeconds, wish.timeoutMs === null ? null : wish.timeoutMs / 1000);
      t.deepEqual(decodeAccess(message.text), { source: wish.source, ports: wish.ports });
    }),
  );
});

test('no packet that differs in a character, or is shorter or longer, opens or is remembered', (t) => {
  const packet = Buffer.from(createPacket(keys, request, { entropy, unixMs }));
  const replays = new SpaReplayRecord(16);
  const judge = responder(replays);
  const flips = [...packet.keys()].flatMap((at) =>
    [1, 2, 4, 8, 16, 32, 64, 128].map((bit) => {
      const other = Buffer.from(packet);
      other[at] = (other[at] ?? 0) ^ bit;
      return other;
    }),
  );
  const prefixes = [...packet.keys()].map((end) => packet.subarray(0, end));
  const longer = ['A', '=', ':', '\0'].map((more) => Buffer.concat([packet, Buffer.from(more)]));
  for (const each of [...flips, ...prefixes, ...longer]) {
    t.is(judge.receive(each, terms, arrival).kind, 'drop');
  }
  t.is(replays.packets.length, 0);
  t.is(judge.receive(packet, terms, arrival).kind, 'knock');
  t.is(replays.packets.length, 1);
});

test('nothing that a stranger sends is more than a drop', (t) => {
  const judge = responder();
  const bytes = fc.uint8Array({ minLength: 130, maxLength: 300 });
  const letters = fc.stringMatching(/^[A-Za-z0-9+/]{140,300}$/).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(fc.oneof(bytes, letters), (datagram) => {
      t.is(judge.receive(datagram, terms, arrival).kind, 'drop');
    }),
  );
});

test('no plaintext, whoever has the keys, is more than a message or a reason', (t) => {
  const good = encodeMessage({
    random: '1234567890123456',
    user: 'alice',
    timestamp: 1_800_000_000,
    type: 'access',
    text: encodeAccess(request),
    natAccess: null,
    timeoutSeconds: null,
  });
  const field = fc.oneof(fc.constantFrom('', '0', '1', '3.0.0', 'YWxpY2U'), fc.string());
  const fields = fc.array(field, { maxLength: 12 }).map((all) => Buffer.from(all.join(':')));
  const cut = fc.nat(good.length).map((end) => good.subarray(0, end));
  fc.assert(
    fc.property(fc.oneof(fields, cut, fc.uint8Array({ maxLength: 600 })), (plaintext) => {
      const message = decodeMessage(plaintext);
      t.true(message === 'malformed' || message === 'digest' || plaintext.length === good.length);
    }),
  );
  t.like(decodeMessage(good), { type: spaTypes[1] });
});

test('whoever has the keys: of fields that are cut, too long, flipped, wrongly encoded or more, none is remembered', (t) => {
  const fields = (type: number, ...rest: readonly string[]): readonly string[] => [
    ...['1234567890123456', b64('alice'), '1800000000', '3.0.0', String(type)],
    ...[b64('192.0.2.7,tcp/22'), ...rest],
  ];
  const nat = b64('192.0.2.9,22');
  const messages = [
    ...[fields(1), fields(3, '30'), fields(2, nat), fields(4, nat, '30')],
    ...[fields(5, nat), fields(6, nat, '30')],
  ];
  const changes = fc.oneof(
    fc.nat(20).map((end) => (field: string) => field.slice(0, end)),
    fc.constantFrom(400, 700).map((length) => (field: string) => field.repeat(length / 4)),
    fc
      .constantFrom(':', '::', ':MA', '=', '*', '\0', '-', ' ')
      .map((more) => (field: string) => field + more),
    fc.tuple(fc.nat(15), fc.constantFrom(1, 2, 16, 128)).map(([at, bit]) => (field: string) => {
      const bytes = Buffer.from(field, 'latin1');
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ bit;
      return bytes.toString('latin1');
    }),
  );
  const leading: SpaTerms = {
    ...terms,
    canLead: () => true,
    upstreamOf: () => ({ address: address('192.0.2.9'), port: 22 }),
  };
  const judge = (all: readonly string[]) => {
    const replays = new SpaReplayRecord(16);
    const text = all.join(':');
    const plaintext = Buffer.from(`${text}:${digestOf(text)}`, 'latin1');
    const packet = sealPacket(keys, entropy.bytes(8), plaintext);
    const judged = responder(replays).receive(packet, leading, arrival);
    return { judged, remembered: replays.packets.length };
  };
  for (const all of messages) t.like(judge(all), { judged: { kind: 'knock' }, remembered: 1 });
  const one = fc.record({ all: fc.constantFrom(...messages), at: fc.nat(8), change: changes });
  fc.assert(
    fc.property(one, ({ all, at, change }) => {
      const changed = all.map((field, each) => (each === at % all.length ? change(field) : field));
      const { judged, remembered } = judge(changed);
      t.is(remembered, judged.kind === 'knock' ? 1 : 0);
      // what is left may be good: another random value, a shorter user, another time
      if (judged.kind === 'knock') t.is(changed.join(':').split(':').length, all.length);
    }),
    { numRuns: 1000 },
  );
});

test('the longest message of every type that is understood fits into a packet', (t) => {
  const ports = Array.from({ length: 16 }, (_, at) =>
    parseServicePort(`tcp/${String(65_500 + at)}`),
  );
  const wish = {
    ...request,
    source: address('255.255.255.255'),
    user: 'a'.repeat(64),
    ports,
    timeoutMs: 65_536_000 as DurationMs,
  };
  const packet = createPacket({ ...keys, hmacType: 'sha512' }, wish, { entropy, unixMs });
  t.true(packet.length < 1200);
});

test('the record forgets what is too old and refuses more than it has room for', (t) => {
  const replays = new SpaReplayRecord(2);
  t.true(replays.add({ digest: 'a', sentAt: 1000 as UnixMs }));
  t.true(replays.add({ digest: 'b', sentAt: 2000 as UnixMs }));
  t.false(replays.add({ digest: 'c', sentAt: 3000 as UnixMs }));
  replays.forget(1001 as UnixMs);
  t.is(replays.forgottenUpTo, 1000 as UnixMs);
  t.false(replays.has('a'));
  t.true(replays.has('b'));
  t.true(replays.add({ digest: 'c', sentAt: 3000 as UnixMs }));
});

function b64(text: string): string {
  return Buffer.from(text).toString('base64').replaceAll('=', '');
}

function unopened(): Uint8Array {
  throw new Error('it was not opened');
}
