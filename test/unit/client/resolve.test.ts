import test from 'ava';
import fc from 'fast-check';
import { familyOf } from '../../../src/bytes/address.ts';
import { interleaveFamilies, resolveHost } from '../../../src/client/resolve.ts';
import { address } from '../grants/plans.ts';
import { faultOf } from '../store/scratch.ts';

test('an address is its own', async (t) => {
  t.deepEqual(await resolveHost('192.0.2.1'), [address('192.0.2.1')]);
  t.deepEqual(await resolveHost('2001:DB8::1'), [address('2001:db8::1')]);
});

test('a name has the addresses that the system says', async (t) => {
  const found = await resolveHost('localhost');
  t.true(found.includes(address('127.0.0.1')) || found.includes(address('::1')));
});

test('a name that nobody knows is no answer', async (t) => {
  // RFC 6761: never resolves
  t.is((await faultOf(() => resolveHost('no-such-host.invalid'))).code, 'no-answer');
});

test('families take turns, the preferred one first', (t) => {
  const mixed = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '192.0.2.1'].map(address);
  t.deepEqual(
    interleaveFamilies(mixed),
    ['2001:db8::1', '192.0.2.1', '2001:db8::2', '2001:db8::3'].map(address),
  );
  t.deepEqual(
    interleaveFamilies(['192.0.2.1', '2001:db8::1'].map(address))[0],
    address('192.0.2.1'),
  );
  t.deepEqual(interleaveFamilies([]), []);
});

test('no address is lost, added or moved before another of its family', (t) => {
  const some = fc.oneof(fc.ipV4(), fc.ipV6()).map(address);
  const property = fc.property(fc.uniqueArray(some), (addresses) => {
    const result = interleaveFamilies(addresses);
    t.is(result.length, addresses.length);
    for (const family of [4, 6]) {
      const isOf = (each: (typeof addresses)[number]): boolean => familyOf(each) === family;
      t.deepEqual(result.filter(isOf), addresses.filter(isOf));
    }
  });
  fc.assert(property);
});
