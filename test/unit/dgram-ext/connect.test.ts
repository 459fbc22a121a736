import test from 'ava';
import { connectDatagramSocket } from '../../../src/dgram-ext/connect.ts';
import { freePort } from '../../support/free-port.ts';
import { address, at, firstLocal, testContract } from './contract.ts';
import { bound, settle } from './real.ts';

testContract({
  name: 'connected',
  bind: (t, ...addresses) => bound(t, { addresses }),
  reach: async (t, server) => {
    const client = await connectDatagramSocket(firstLocal(server));
    t.teardown(() => client.close());
    return client;
  },
  settle,
});

test('the local address is the one the kernel sends from', async (t) => {
  const client = await connectDatagramSocket(at('127.0.0.1', 9));
  t.teardown(() => client.close());
  t.is(firstLocal(client).address, address('127.0.0.1'));
  t.not(firstLocal(client).port, 0);
});

test('datagrams from anybody but the remote do not come in', async (t) => {
  const server = await bound(t, { addresses: [at('127.0.0.1')] });
  const stranger = await bound(t, { addresses: [at('127.0.0.1')] });
  const client = await connectDatagramSocket(firstLocal(server));
  t.teardown(() => client.close());
  const heard: number[] = [];
  client.listen(([first = 0]) => heard.push(first));
  stranger.send(Uint8Array.of(1), firstLocal(client), firstLocal(stranger));
  server.send(Uint8Array.of(2), firstLocal(client), firstLocal(server));
  await settle(() => heard.length > 0);
  t.deepEqual(heard, [2]);
});

test('a datagram for anybody but the remote is dropped', async (t) => {
  const server = await bound(t, { addresses: [at('127.0.0.1')] });
  const client = await connectDatagramSocket(firstLocal(server));
  t.teardown(() => client.close());
  client.send(Uint8Array.of(1), at('127.0.0.2', firstLocal(server).port), firstLocal(client));
  t.is(client.counters().sendDropped, 1);
});

test('P7: an ICMP port unreachable ends nothing', async (t) => {
  const place = at('127.0.0.1', await freePort());
  const client = await connectDatagramSocket(place);
  t.teardown(() => client.close());
  let heard = 0;
  client.listen(() => heard++);
  for (let i = 0; i < 4; i++) client.send(Uint8Array.of(1), place, firstLocal(client));
  await settle(() => client.counters().sent + client.counters().sendDropped === 4);
  // and one that nothing but the receiving side can learn of
  client.send(Uint8Array.of(1), place, firstLocal(client));
  await settle(() => client.counters().sent + client.counters().sendDropped === 5);

  const late = await bound(t, { addresses: [place] });
  late.send(Uint8Array.of(2), firstLocal(client), place);
  await settle(() => heard === 1);
  client.send(Uint8Array.of(1), place, firstLocal(client));
  await settle(() => late.counters().received === 1);
  t.pass();
});

test('no way to the remote is a fault with code no-answer', async (t) => {
  // a link-local address without a zone leads nowhere on any machine
  const fault = await t.throwsAsync(connectDatagramSocket(at('fe80::1', 9)));
  t.like(fault, { name: 'HknockError', code: 'no-answer' });
});
