import { createSocket } from 'node:dgram';
import type { NetworkInterfaceInfo } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { bindDatagramSocket } from '../../../src/dgram-ext/bind.ts';
import type { HknockError } from '../../../src/errors/hknock-error.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { formatEndpoint } from '../../../src/units/network.ts';
import { freePort } from '../../support/free-port.ts';
import { at, firstLocal, testContract } from './contract.ts';
import { createDatagramDescriptors } from '../../../src/system/datagram-descriptors.ts';
import { bound, settle } from './real.ts';

testContract({
  name: 'bound',
  bind: (t, ...addresses) => bound(t, { addresses }),
  reach: (t, server) => bound(t, { addresses: [{ ...firstLocal(server), port: 0 }] }),
  settle,
});

testContract({
  name: 'bound by descriptors',
  bind: async (t, ...addresses) =>
    bound(t, { addresses, descriptors: await createDatagramDescriptors() }),
  reach: (t, server) => bound(t, { addresses: [{ ...firstLocal(server), port: 0 }] }),
  settle,
});

const clock = new FakeClock();

function loopbacks(...texts: string[]): { lo: NetworkInterfaceInfo[] } {
  const info = { netmask: '255.0.0.0', mac: '', internal: true, cidr: null };
  return {
    lo: texts.map((text) =>
      text.includes(':')
        ? { ...info, address: text, family: 'IPv6', scopeid: 0 }
        : { ...info, address: text, family: 'IPv4' },
    ),
  };
}

test('a fault to bind says what to do', async (t) => {
  const taken = createSocket('udp4');
  await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address();
  const inUse = await t.throwsAsync<HknockError>(
    bindDatagramSocket({ addresses: [at('127.0.0.1', port)], clock }),
  );
  t.like(inUse, { code: 'bind', cause: { code: 'EADDRINUSE' } });
  t.true(inUse.hint?.includes(String(port)));

  const notOurs = await t.throwsAsync<HknockError>(
    bindDatagramSocket({ addresses: [at('192.0.2.77', port)], clock }),
  );
  t.like(notOurs, { code: 'bind', cause: { code: 'EADDRNOTAVAIL' } });
  t.not(notOurs.hint, inUse.hint);
});

test('all addresses are bound or none', async (t) => {
  const place = at('127.0.0.1', await freePort());
  const addresses = [place, at('192.0.2.77', place.port)];
  await t.throwsAsync(bindDatagramSocket({ addresses, clock }));
  t.deepEqual((await bound(t, { addresses: [place] })).local, [place]);
});

test.serial('an address that is refused leaves no socket behind', async (t) => {
  const countOpen = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length;
  const before = countOpen();
  await t.throwsAsync(bindDatagramSocket({ addresses: [at('192.0.2.77', 9)], clock }));
  await settle(() => countOpen() === before);
});

test('port 0 is the same port for all addresses', async (t) => {
  const { local } = await bound(t, { addresses: [at('127.0.0.1'), at('127.0.0.2'), at('::1')] });
  t.is(local.length, 3);
  t.is(new Set(local.map(({ port }) => port)).size, 1);
});

test('a wildcard is every address of its family, each with a socket of its own', async (t) => {
  const interfaces = () => loopbacks('127.0.0.1', '127.0.0.2', '::1');
  const addressesOf = async (...asked: string[]): Promise<string[]> =>
    (await bound(t, { addresses: asked.map((text) => at(text)), interfaces })).local.map(
      ({ address }) => address,
    );
  t.deepEqual(await addressesOf('0.0.0.0'), ['127.0.0.1', '127.0.0.2']);
  t.deepEqual(await addressesOf('::'), ['::1']);
  t.deepEqual(await addressesOf('0.0.0.0', '::', '127.0.0.2'), ['127.0.0.1', '127.0.0.2', '::1']);
});

test('the machine’s own interfaces are asked: loopback is among them', async (t) => {
  const { local } = await bound(t, { addresses: [at('0.0.0.0'), at('::')] });
  t.true(local.some(({ address }) => address === '127.0.0.1'));
});

test('each answer leaves from the address that was asked', async (t) => {
  const interfaces = () => loopbacks('127.0.0.1', '127.0.0.2', '127.0.0.3');
  const server = await bound(t, { addresses: [at('0.0.0.0')], interfaces });
  const client = await bound(t, { addresses: [at('127.0.0.9')] });
  server.listen((bytes, remote, local) => {
    server.send(bytes, remote, local);
  });
  const from: string[] = [];
  client.listen((_bytes, remote) => from.push(formatEndpoint(remote)));
  for (const each of server.local) client.send(Uint8Array.of(1), each, firstLocal(client));
  await settle(() => from.length === 3);
  t.deepEqual(from.sort(), server.local.map(formatEndpoint).sort());
});

test('addresses that come are served, those that go are closed, at each interval', async (t) => {
  const own = new FakeClock();
  let present = ['127.0.0.1', '127.0.0.2'];
  const server = await bound(t, {
    addresses: [at('0.0.0.0', await freePort())],
    clock: own,
    rescanMs: 5000,
    interfaces: () => loopbacks(...present),
  });
  const { port } = firstLocal(server);
  const addresses = (): string => server.local.map(({ address }) => address).join(' ');
  present = ['127.0.0.2', '127.0.0.3'];
  own.advance(4999);
  t.is(addresses(), '127.0.0.1 127.0.0.2');
  own.advance(1);
  await settle(() => addresses() === '127.0.0.2 127.0.0.3');
  t.true(server.local.every((each) => each.port === port));
  // the port of the one that went is free again
  await bound(t, { addresses: [at('127.0.0.1', port)] });

  present = ['127.0.0.4'];
  await server.rescan();
  t.is(addresses(), '127.0.0.4');
  // one interval follows the other
  present = ['127.0.0.5'];
  await settle(() => {
    own.advance(5000);
    return addresses() === '127.0.0.5';
  });
});

test('an address that cannot be bound later is told once, and taken when it can be', async (t) => {
  let present = ['127.0.0.1'];
  const faults: HknockError[] = [];
  const server = await bound(t, {
    addresses: [at('0.0.0.0')],
    interfaces: () => loopbacks(...present),
    onFault: (fault) => faults.push(fault),
  });
  const rival = await bound(t, { addresses: [at('127.0.0.2', firstLocal(server).port)] });
  present = ['127.0.0.1', '127.0.0.2'];
  await server.rescan();
  await server.rescan();
  t.deepEqual(
    faults.map(({ code }) => code),
    ['bind'],
  );
  await rival.close();
  await server.rescan();
  t.is(server.local.length, 2);
});

test('an address of an interface that is not usable yet is passed over until it is', async (t) => {
  // 192.0.2.77 is listed, as one in duplicate address detection is, but cannot be bound
  const interfaces = () => loopbacks('127.0.0.1', '192.0.2.77');
  const onFault = (): void => {
    t.fail();
  };
  const server = await bound(t, { addresses: [at('0.0.0.0')], interfaces, onFault });
  await server.rescan();
  t.is(server.local.length, 1);
});

test('when the interfaces cannot be listed, that is told and the sockets stay', async (t) => {
  const codes: string[] = [];
  let isBroken = false;
  const server = await bound(t, {
    addresses: [at('0.0.0.0')],
    interfaces: () => {
      if (isBroken) throw new Error('EMFILE');
      return loopbacks('127.0.0.1');
    },
    onFault: ({ code }) => codes.push(code),
  });
  isBroken = true;
  await server.rescan();
  isBroken = false;
  await server.rescan();
  t.deepEqual(codes, ['host']);
  t.is(server.local.length, 1);
});

test('close ends a look at the addresses, wherever it is, and leaves none bound', async (t) => {
  const own = new FakeClock();
  const present = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  for (let turns = 0; turns < 20; turns++) {
    const port = await freePort();
    let count = 1;
    let looks = 0;
    const interfaces = () => {
      looks++;
      return loopbacks(...present.slice(0, count));
    };
    const server = await bound(t, { addresses: [at('0.0.0.0', port)], clock: own, interfaces });
    count = present.length;
    own.advance(5000);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await server.close();
    t.deepEqual(server.local, []);
    const looksBefore = looks;
    own.advance(5000);
    await setImmediate();
    t.is(looks, looksBefore);
    await server.rescan();
    t.deepEqual(server.local, []);
    const again = await bound(t, { addresses: present.map((text) => at(text, port)) });
    await again.close();
  }
});

for (const loopback of ['127.0.0.1', '::1']) {
  test(`what the kernel drops is counted, also after close (${loopback})`, async (t) => {
    const server = await bound(t, { addresses: [at(loopback)], receiveBufferBytes: 65_536 });
    const client = await bound(t, { addresses: [at(loopback)] });
    // all in one turn of the loop: the server cannot read in between
    for (let i = 0; i < 1000; i++) {
      client.send(new Uint8Array(1000), firstLocal(server), firstLocal(client));
    }
    const { receiveDropped } = server.counters();
    t.true(receiveDropped > 100);
    await settle(() => server.counters().received + receiveDropped === 1000);
    await server.close();
    t.is(server.counters().receiveDropped, receiveDropped);
  });
}

test('a listener that throws is a bug and surfaces as an uncaught exception', async (t) => {
  const server = await bound(t, { addresses: [at('127.0.0.1')] });
  const client = await bound(t, { addresses: [at('127.0.0.1')] });
  const bug = new Error('bug');
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const surfaced = new Promise((resolve) => process.once('uncaughtException', resolve));
  server.listen(() => {
    throw bug;
  });
  client.send(Uint8Array.of(1), firstLocal(server), firstLocal(client));
  t.is(await surfaced, bug);
  for (const each of others) process.on('uncaughtException', each);
  // and the endpoint goes on
  let heard = 0;
  server.listen(() => heard++);
  client.send(Uint8Array.of(1), firstLocal(server), firstLocal(client));
  await settle(() => heard === 1);
  t.is(server.counters().received, 2);
});

test('whoever shares the sockets is told of each that comes and goes', async (t) => {
  const descriptors = await createDatagramDescriptors();
  let interfaces = loopbacks('127.0.0.1');
  const server = await bound(t, {
    addresses: [at('0.0.0.0')],
    interfaces: () => interfaces,
    descriptors,
  });
  const told: string[] = [];
  const { end } = server.share({
    opened: ({ address }, descriptor) => {
      told.push(`opened ${address}`);
      descriptors.close(descriptor);
    },
    closed: ({ address }) => told.push(`closed ${address}`),
  });
  interfaces = loopbacks('127.0.0.2');
  await server.rescan();
  end();
  await server.close();
  t.deepEqual(told, ['opened 127.0.0.1', 'closed 127.0.0.1', 'opened 127.0.0.2']);
});

test('sockets bound for one alone are not shared', async (t) => {
  const server = await bound(t, { addresses: [at('127.0.0.1')] });
  const sharer = { opened: () => undefined, closed: () => undefined };
  t.throws(() => server.share(sharer), { instanceOf: RangeError });
});

test('descriptors say what is wrong as the system says it', async (t) => {
  const descriptors = await createDatagramDescriptors();
  const faultOf = (address: string) =>
    bindDatagramSocket({ addresses: [at(address, 4000)], clock, descriptors });
  const notOurs = await t.throwsAsync<HknockError>(faultOf('192.0.2.77'));
  t.like(notOurs, { code: 'bind', cause: { code: 'EADDRNOTAVAIL' } });
  t.throws(() => descriptors.again(-1), { message: /EBADF/ });
});
