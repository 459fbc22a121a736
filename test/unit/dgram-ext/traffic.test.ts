import type { Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { SocketAddress } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { decodeEndpoint } from '../../../src/bytes/address.ts';
import { Traffic } from '../../../src/dgram-ext/traffic.ts';
import { at } from './contract.ts';

/** The address a listener gets when the system writes the remote's as `text`. */
function heardAs(text: string): string {
  const traffic = new Traffic();
  const socket = new EventEmitter();
  let heard = '';
  traffic.listen((_bytes, remote) => (heard = remote.address));
  traffic.acceptFrom(socket as unknown as Socket, at('::1'));
  socket.emit('message', Buffer.of(), { address: text, port: 9 });
  return heard;
}

test('a remote’s IPv6 address is canonical, however the system writes it', (t) => {
  const words = fc.array(fc.constantFrom(0, 0, 0, 1, 0x1234, 0xffff), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(words, (eight) => {
      const bytes = new Uint8Array(18);
      eight.forEach((word, i) => {
        new DataView(bytes.buffer).setUint16(2 * i, word);
      });
      const system = new SocketAddress({
        address: eight.map((word) => word.toString(16)).join(':'),
        family: 'ipv6',
      });
      t.is(heardAs(system.address), decodeEndpoint(bytes, 0).address);
    }),
  );
});

test('a zone is no part of a remote’s address', (t) => {
  t.is(heardAs('fe80::1%eth0'), 'fe80::1');
});
