import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { start } from '../../src/handshake/initiator.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { formatKey } from '../../src/store/key-text.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { MonotonicMs } from '../../src/units/time.ts';
import { testWith } from '../support/capabilities.ts';
import { bytes, readVectors } from '../vectors/vector-file.ts';
import { type Datagram, pcapOf } from './wireshark/pcap.ts';
import { dissect } from './wireshark/tshark.ts';

// protocol-spec/hknock.lua reads the messages and opens what is sealed by an implementation of its own, in Lua. What it makes of
// what programs really send is in second-programs.test.ts.

const test = testWith('tshark');

type Vector = ReturnType<typeof readVectors<'responder'>>[number];
type Step = Vector['steps'][number];

const knockPort = 62_202;
const fields = ['hknock.message', 'hknock.seal', 'hknock.proof.right'] as const;

const toResponder: Partial<Record<number, string>> = {
  100: 'Request',
  222: 'Response',
  72: 'Lease',
};
const toInitiator: Partial<Record<number, string>> = {
  100: 'Challenge',
  126: 'Grant',
  48: 'Lease Answer',
};

// what a Lease is sealed with is known from the Response before it, even when the responder does not know it any more
const vectors = readVectors('responder').filter(
  ({ steps }) => !steps.some(({ expect }) => 'drop' in expect && expect.drop === 'lease'),
);

test('tshark opens the messages of all vectors for a responder, and tells wrong seals and proofs', async (t) => {
  const packets = vectors.flatMap(packetsOf);
  const found = await dissect(pcapOf(packets), { fields, keys: [profileOf(t)] });
  t.is(found.length, packets.length);
  packets.forEach(({ says, expected }, i) => {
    t.like(found[i], expected, says);
  });
});

test('without keys, tshark tells messages at the port of a responder by their lengths and opens none', async (t) => {
  const packets = vectors.flatMap(packetsOf);
  const found = await dissect(pcapOf(packets), { fields });
  packets.forEach(({ says, expected }, i) => {
    const message = expected['hknock.message'] ?? '';
    t.like(found[i], { 'hknock.message': message, 'hknock.seal': message && '0' }, says);
  });
});

test('at another port, tshark knows a conversation by the tag that it begins with, once it has the key', async (t) => {
  const packets = vectors.slice(0, 1).flatMap(packetsOf);
  const elsewhere = { fields, ports: '1' };
  const strange = await dissect(pcapOf(packets), elsewhere);
  t.deepEqual([...new Set(strange.map((each) => each['hknock.message']))], ['']);
  const known = await dissect(pcapOf(packets), { ...elsewhere, keys: [profileOf(t)] });
  t.deepEqual(
    known.map((each) => [each['hknock.message'], each['hknock.seal']]),
    ['Request', 'Challenge', 'Response', 'Grant'].map((message) => [message, '1']),
  );
});

test('tshark reads a service’s name that fills its field', async (t) => {
  const [vector] = vectors;
  if (vector === undefined) throw new Error('there are no vectors');
  const { tag, secret, responderId } = vector.credential;
  const keys = deriveKeys({
    tag: bytes(tag),
    secret: bytes(secret),
    responderId: bytes(responderId),
  });
  const service = parseServiceName('a'.repeat(32));
  const wish = { claimed: null, service, admission: 'address', breadth: 'prefix' } as const;
  const { send } = start({ keys, wish, entropy: createSystemEntropy() }, 0 as MonotonicMs);
  const pcap = pcapOf(send.map((payload) => ({ from: 20_000, to: knockPort, payload })));
  const options = { fields: ['_ws.col.Info', 'hknock.service'] as const, keys: [profileOf(t)] };
  t.deepEqual(await dissect(pcap, options), [
    { '_ws.col.Info': `Request for ${service}`, 'hknock.service': service },
  ]);
});

interface Packet extends Datagram {
  /** The vector it is from. */
  readonly says: string;
  readonly expected: Partial<Record<(typeof fields)[number], string>>;
}

/** What goes to and fro in a vector, between a port of its own and the responder's. */
function packetsOf({ name, steps }: Vector, index: number): readonly Packet[] {
  const client = 20_000 + index;
  return steps.flatMap((step) => {
    const { expect, conclude } = step;
    const answers = [
      'reply' in expect ? expect.reply : null,
      conclude && ('grant' in conclude ? conclude.grant : conclude.answer),
    ].filter((answer) => typeof answer === 'string');
    const asked = { from: client, to: knockPort, payload: bytes(step.datagram) };
    return [
      { ...asked, says: name, expected: expectedOf(step) },
      ...answers.map((answer) => ({
        ...{ from: knockPort, to: client, payload: bytes(answer), says: name },
        expected: { 'hknock.message': toInitiator[answer.length / 2] ?? '', 'hknock.seal': '1' },
      })),
    ];
  });
}

function expectedOf({ datagram, expect }: Step): Packet['expected'] {
  const reason = 'drop' in expect ? expect.drop : null;
  if (reason === 'length') return { 'hknock.message': '' };
  return {
    'hknock.message': toResponder[datagram.length / 2] ?? '',
    'hknock.seal': reason === 'tag' ? '0' : reason === 'mac' ? '2' : '1',
    ...('knock' in expect && { 'hknock.proof.right': '1' }),
    ...(reason === 'proof' && { 'hknock.proof.right': '0' }),
  };
}

/** A file with the credential of the vectors, as in a client's profile. */
function profileOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hknock-profile-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const [vector] = vectors;
  if (vector === undefined) throw new Error('there are no vectors');
  const { tag, secret, responderId } = vector.credential;
  const keys = {
    responder: formatKey(bytes(responderId)),
    tag,
    secret: formatKey(bytes(secret)),
  };
  const lines = Object.entries(keys).map(([name, value]) => `${name} = "${value}"\n`);
  const path = join(folder, 'profile.toml');
  writeFileSync(path, lines.join(''));
  return path;
}
