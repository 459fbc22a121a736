import test, { type ExecutionContext } from 'ava';
import { parseAddress } from '../../../src/bytes/address.ts';
import type { DatagramSocket } from '../../../src/host/datagram-socket.ts';
import type { Endpoint, IpAddress } from '../../../src/units/network.ts';
import { freePort } from '../../support/free-port.ts';

/** What a DatagramSocket must do, whatever it is made of. */
export interface Harness {
  readonly name: string;
  /** Binds one address on a free port. */
  readonly bind: (t: ExecutionContext, ...endpoints: Endpoint[]) => Promise<DatagramSocket>;
  /** A second endpoint that talks to the first. */
  readonly reach: (t: ExecutionContext, server: DatagramSocket) => Promise<DatagramSocket>;
  /** Lets datagrams travel until it is done; throws when that takes too long. */
  readonly settle: (isDone: () => boolean) => Promise<void>;
}

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`not an address: ${text}`);
  return parsed;
}

export function at(text: string, port = 0): Endpoint {
  return { address: address(text), port };
}

export function firstLocal(socket: DatagramSocket): Endpoint {
  const [local] = socket.local;
  if (local === undefined) throw new Error('bound to nothing');
  return local;
}

export function testContract(harness: Harness): void {
  for (const loopback of ['127.0.0.1', '::1']) testContractOn(harness, loopback);
}

function testContractOn({ name, bind, reach, settle }: Harness, loopback: string): void {
  const title = (text: string): string => `${name}, ${loopback}: ${text}`;
  const bytes = Uint8Array.of(1, 2, 3);

  test(title('a datagram arrives with its bytes and both endpoints'), async (t) => {
    const server = await bind(t, at(loopback));
    const client = await reach(t, server);
    const seen: unknown[] = [];
    server.listen((each, remote, local) => seen.push([Uint8Array.from(each), remote, local]));
    client.send(bytes, firstLocal(server), firstLocal(client));
    await settle(() => seen.length === 1);
    t.deepEqual(seen, [[bytes, firstLocal(client), firstLocal(server)]]);
    t.not(firstLocal(server).port, 0);
  });

  test(title('an answer goes back from the address that was asked'), async (t) => {
    const server = await bind(t, at(loopback));
    const client = await reach(t, server);
    const answers: unknown[] = [];
    server.listen((each, remote, local) => {
      server.send(Uint8Array.from(each), remote, local);
    });
    client.listen((each, remote) => answers.push([Uint8Array.from(each), remote]));
    client.send(bytes, firstLocal(server), firstLocal(client));
    await settle(() => answers.length === 1);
    t.deepEqual(answers, [[bytes, firstLocal(server)]]);
    t.like(server.counters(), { received: 1, sent: 1, sendDropped: 0 });
  });

  test(title('send knows its local address by value too'), async (t) => {
    const server = await bind(t, at(loopback));
    const client = await reach(t, server);
    server.send(bytes, firstLocal(client), { ...firstLocal(server) });
    await settle(() => client.counters().received === 1);
    t.is(server.counters().sent, 1);
  });

  test(
    title('0 to 1200 bytes are handed on, more are counted as truncated and told of'),
    async (t) => {
      const server = await bind(t, at(loopback));
      const client = await reach(t, server);
      const lengths: number[] = [];
      const tooLong: unknown[] = [];
      server.listen(
        (each) => lengths.push(each.length),
        (remote) => tooLong.push(remote),
      );
      for (const length of [0, 1, 1199, 1200, 1201, 9000]) {
        client.send(new Uint8Array(length), firstLocal(server), firstLocal(client));
      }
      await settle(() => server.counters().received === 6);
      t.deepEqual(lengths, [0, 1, 1199, 1200]);
      t.is(server.counters().truncated, 2);
      t.deepEqual(tooLong, [firstLocal(client), firstLocal(client)]);
    },
  );

  test(title('datagrams that find no listener are counted and not kept'), async (t) => {
    const server = await bind(t, at(loopback));
    const client = await reach(t, server);
    client.send(bytes, firstLocal(server), firstLocal(client));
    await settle(() => server.counters().received === 1);
    const heard: number[] = [];
    server.listen((each) => heard.push(each[0] ?? 0));
    client.send(Uint8Array.of(9), firstLocal(server), firstLocal(client));
    await settle(() => server.counters().received === 2);
    t.deepEqual(heard, [9]);
  });

  test(title('a new listener takes over from the one before'), async (t) => {
    const server = await bind(t, at(loopback));
    const client = await reach(t, server);
    const heard: string[] = [];
    server.listen(() => heard.push('first'));
    server.listen(() => heard.push('second'));
    client.send(bytes, firstLocal(server), firstLocal(client));
    await settle(() => heard.length > 0);
    t.deepEqual(heard, ['second']);
  });

  test(title('what cannot be sent is counted and does not throw'), async (t) => {
    const server = await bind(t, at(loopback));
    const client = await reach(t, server);
    const [here, there] = [firstLocal(server), firstLocal(client)];
    const otherFamily = loopback === '::1' ? '127.0.0.1' : '::1';
    server.send(bytes, at(loopback, 0), here);
    server.send(bytes, at(otherFamily, 9), here);
    server.send(new Uint8Array(65_536), there, here);
    server.send(bytes, there, { ...here, port: here.port === 9 ? 10 : 9 });
    server.send(bytes, there, here);
    await settle(() => server.counters().sendDropped === 4 && server.counters().sent === 1);
    await settle(() => client.counters().received === 1);
    t.pass();
  });

  test(title('a taken port is a fault with code bind'), async (t) => {
    const server = await bind(t, at(loopback));
    const fault = await t.throwsAsync(async () => bind(t, firstLocal(server)));
    t.like(fault, { name: 'HknockError', code: 'bind' });
  });

  test(title('after close nothing is heard or sent, and the port is free'), async (t) => {
    const server = await bind(t, at(loopback, await freePort()));
    const client = await reach(t, server);
    const [place, other] = [firstLocal(server), firstLocal(client)];
    server.listen(() => {
      t.fail();
    });
    client.send(bytes, place, other); // may be in the kernel's queue already
    await Promise.all([server.close(), server.close()]);
    server.send(bytes, other, place);
    t.is(server.counters().sendDropped, 1);
    t.deepEqual(firstLocal(await bind(t, place)), place);
    await client.close();
    client.send(bytes, place, other);
    t.is(client.counters().sendDropped, 1);
  });
}
