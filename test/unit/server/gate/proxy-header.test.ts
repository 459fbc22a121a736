import test from 'ava';
import { toHex } from '../../../../src/bytes/bytes.ts';
import type { Port } from '../../../../src/units/network.ts';
import { proxyHeader } from '../../../../src/server/gate/proxy-header.ts';
import { address } from '../../grants/plans.ts';
import { heard } from '../../client/heard.ts';
import { GateStage, serve } from './gates.ts';

const signature = '0d0a0d0a000d0a515549540a';

test('two IPv4 addresses', (t) => {
  const source = { address: address('203.0.113.7'), port: 51_820 };
  const destination = { address: address('198.51.100.2'), port: 443 };
  t.is(
    toHex(proxyHeader({ protocol: 'tcp', source, destination })),
    `${signature}21 11 000c cb007107 c6336402 ca6c 01bb`.replaceAll(' ', ''),
  );
});

test('two IPv6 addresses', (t) => {
  const source = { address: address('2001:db8::7'), port: 1 };
  const destination = { address: address('2001:db8::2'), port: 443 };
  t.is(
    toHex(proxyHeader({ protocol: 'tcp', source, destination })),
    `${signature}21 21 0024 20010db8000000000000000000000007 20010db8000000000000000000000002 0001 01bb`.replaceAll(
      ' ',
      '',
    ),
  );
});

test('a service that asks for it reads it before the first byte of the client', async (t) => {
  const received = new Promise<Buffer>((resolve) => {
    void serve(t, (socket) => {
      socket.end();
      void heard(socket).then(resolve);
    }).then(async (port: Port) => {
      const stage = await GateStage.create(t, port, { proxyProtocol: true });
      const stream = await stage.enter();
      stream.end('hello');
      stream.resume();
    });
  });
  const all = await received;
  t.is(all.subarray(0, 12).toString('hex'), signature);
  t.is(all.subarray(16, 20).join('.'), '127.0.0.1');
  t.is(all.subarray(28).toString(), 'hello');
});
