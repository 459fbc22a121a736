import test from 'ava';
import { PeerTable } from '../../../src/handshake/peer-table.ts';
import { Peers } from '../../../src/server/peers.ts';
import type { PeerRecord } from '../../../src/store/peer-file.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';

const responderId = new Uint8Array(16).fill(7);

function record(name: string, keys: number, changes: Partial<PeerRecord> = {}): PeerRecord {
  return {
    name: parsePeerName(name),
    tag: new Uint8Array(8).fill(keys),
    secret: new Uint8Array(32).fill(keys),
    totp: null,
    services: [parseServiceName('ssh')],
    admission: null,
    ttlMs: null,
    cutOnRevoke: null,
    ...changes,
  };
}

function setUp(...records: readonly PeerRecord[]) {
  const table = new PeerTable();
  const peers = new Peers(table, responderId);
  const first = peers.update(records);
  const known = (keys: number): string | null =>
    table.find(new Uint8Array(8).fill(keys))?.name ?? null;
  return { table, peers, first, known };
}

function names(records: readonly PeerRecord[]): readonly string[] {
  return records.map(({ name }) => name);
}

test('new peers are known by their tags, and nobody else is', (t) => {
  const { known, first } = setUp(record('alice', 1), record('bob', 2));
  t.is(known(1), 'alice');
  t.is(known(2), 'bob');
  t.is(known(3), null);
  t.deepEqual(first, { revoked: [], rotated: [] });
});

test('a peer that is gone is a stranger at once', (t) => {
  const { peers, known } = setUp(record('alice', 1), record('bob', 2));
  const { revoked, rotated } = peers.update([record('bob', 2)]);
  t.deepEqual(names(revoked), ['alice']);
  t.deepEqual(rotated, []);
  t.is(known(1), null);
  t.is(known(2), 'bob');
  t.deepEqual([...peers.records.keys()], ['bob']);
});

test('new keys take the place of the old ones', (t) => {
  const { peers, known } = setUp(record('alice', 1));
  const { revoked, rotated } = peers.update([record('alice', 9)]);
  t.deepEqual(revoked, []);
  t.deepEqual(names(rotated), ['alice']);
  t.is(known(1), null);
  t.is(known(9), 'alice');
});

test('a new secret under the old tag counts as new keys', (t) => {
  const { peers, table } = setUp(record('alice', 1));
  const before = table.find(new Uint8Array(8).fill(1))?.keys;
  const { rotated } = peers.update([record('alice', 1, { secret: new Uint8Array(32).fill(9) })]);
  t.deepEqual(names(rotated), ['alice']);
  t.not(table.find(new Uint8Array(8).fill(1))?.keys, before);
});

test('what is not a key changes without new keys being derived', (t) => {
  const { peers, table } = setUp(record('alice', 1));
  const before = table.find(new Uint8Array(8).fill(1))?.keys;
  t.truthy(before);
  const changed = record('alice', 1, { services: [parseServiceName('web')] });
  t.deepEqual(peers.update([changed]), { revoked: [], rotated: [] });
  t.is(table.find(new Uint8Array(8).fill(1))?.keys, before);
  t.deepEqual(peers.records.get(changed.name)?.services, changed.services);
});

test('a peer with another name and the same keys stays known, under the new name', (t) => {
  const { peers, known } = setUp(record('alice', 1));
  const { revoked } = peers.update([record('alicia', 1)]);
  t.deepEqual(names(revoked), ['alice']);
  t.is(known(1), 'alicia');
});
