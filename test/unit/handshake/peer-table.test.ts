import test from 'ava';
import { deriveKeys } from '../../../src/handshake/keys.ts';
import { PeerTable } from '../../../src/handshake/peer-table.ts';
import { parsePeerName } from '../../../src/units/names.ts';
import { alice, bob, flips } from '../../sim/exchange.ts';

const aliceName = parsePeerName('alice');

function datagramOf(tag: Uint8Array): Uint8Array {
  // in the middle of a longer buffer, as a receive buffer would be
  return Uint8Array.from([1, 2, 3, ...tag, ...new Uint8Array(92)]).subarray(3);
}

test('finds a peer by the first 8 bytes of a datagram, with its keys', (t) => {
  const table = new PeerTable();
  table.add(aliceName, alice);
  table.add(parsePeerName('bob'), bob);
  const found = table.find(datagramOf(alice.tag));
  t.is(found?.name, aliceName);
  t.deepEqual(found?.keys.request, deriveKeys(alice).request);
  t.is(table.find(datagramOf(bob.tag))?.name, parsePeerName('bob'));
});

test('derives keys once', (t) => {
  const table = new PeerTable();
  table.add(aliceName, alice);
  t.is(table.find(alice.tag)?.keys, table.find(alice.tag)?.keys);
});

test('no other tag finds it', (t) => {
  const table = new PeerTable();
  table.add(aliceName, alice);
  for (const tag of flips(alice.tag)) t.is(table.find(datagramOf(tag)), null);
});

test('tags of high bytes are told apart', (t) => {
  const table = new PeerTable();
  table.add(aliceName, { ...alice, tag: new Uint8Array(8).fill(0xff) });
  t.is(table.find(new Uint8Array(8).fill(0xfe)), null);
  t.is(table.find(new Uint8Array(8).fill(0xff))?.name, aliceName);
});

test('T-12: a removed peer is a stranger from that moment', (t) => {
  const table = new PeerTable();
  table.add(aliceName, alice);
  table.add(parsePeerName('bob'), bob);
  t.truthy(table.find(alice.tag));
  table.remove(alice.tag);
  t.is(table.find(datagramOf(alice.tag)), null);
  t.truthy(table.find(bob.tag));
  table.remove(alice.tag);
});

test('a credential that is replaced brings its own keys', (t) => {
  const table = new PeerTable();
  table.add(aliceName, alice);
  table.find(alice.tag);
  const renewed = { ...alice, secret: bob.secret };
  table.add(aliceName, renewed);
  t.deepEqual(table.find(alice.tag)?.keys.request, deriveKeys(renewed).request);
});

test('who watches is told of all who are there, and of each change until it ends', (t) => {
  const table = new PeerTable();
  const told: string[] = [];
  table.add(aliceName, alice);
  const watch = table.watch({
    added: (name, { tag }) => told.push(`${name} ${String(tag)}`),
    removed: (tag) => told.push(`not ${String(tag)}`),
  });
  table.add(parsePeerName('bob'), bob);
  table.remove(alice.tag);
  watch.end();
  table.remove(bob.tag);
  const [hers, his] = [String(alice.tag), String(bob.tag)];
  t.deepEqual(told, [`alice ${hers}`, `bob ${his}`, `not ${hers}`]);
});
