import test from 'ava';
import fc from 'fast-check';
import { ascii } from '../../../../src/bytes/bytes.ts';
import {
  decodeServiceName,
  encodeServiceName,
  SERVICE_NAME_LENGTH,
} from '../../../../src/handshake/wire/service-name.ts';
import { services } from './bodies.ts';

function field(text: string): Uint8Array {
  const bytes = new Uint8Array(SERVICE_NAME_LENGTH);
  bytes.set(ascii(text));
  return bytes;
}

test('every name is read as it was written, and what stands around it is not', (t) => {
  fc.assert(
    fc.property(services, (name) => {
      const into = new Uint8Array(SERVICE_NAME_LENGTH + 2);
      encodeServiceName(name, into, 1);
      into[0] = into[SERVICE_NAME_LENGTH + 1] = 0x61;
      t.is(decodeServiceName(into, 1), name);
    }),
  );
});

for (const text of ['', '-a', 'A', 'a b', 'a\0b', 'a\0\0\0-', 'a\n', 'é', 'a/../b']) {
  test(`T-16: ${JSON.stringify(text)} is no name`, (t) => {
    t.is(decodeServiceName(field(text), 0), null);
  });
}

test('T-16: any 32 bytes are one name or none', (t) => {
  const bytes = fc.constantFrom(0, 0x0a, 0x20, 0x2d, 0x2e, 0x30, 0x41, 0x61, 0x7a, 0xe1);
  const some = fc.array(bytes, { maxLength: 5 });
  fc.assert(
    fc.property(services, some, fc.nat(SERVICE_NAME_LENGTH), (service, overwritten, from) => {
      const bytes = field(service);
      bytes.set(overwritten.slice(0, SERVICE_NAME_LENGTH - from), from);
      const text = Buffer.from(bytes).toString('latin1');
      const expected = /^([a-z0-9][a-z0-9-]{0,31})\0*$/.exec(text)?.[1] ?? null;
      t.is<string | null, string | null>(decodeServiceName(bytes, 0), expected);
    }),
  );
});
