import { createSocket, type Socket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { MAX_FLOWS } from '../../../../src/admission/gate/datagram-tunnel.ts';
import { type DatagramPort, openDatagramPort } from '../../../../src/client/datagram-port.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { parsePeerName } from '../../../../src/units/names.ts';
import { type Endpoint, parseServicePort, type Port } from '../../../../src/units/network.ts';
import { freePort } from '../../../support/free-port.ts';
import { until } from '../../../support/netns.ts';
import { faultOf } from '../../store/scratch.ts';
import { GateStage, loopback, serveDatagrams } from './gates.ts';

/** A local port through a new gate to this UDP service. */
async function enter(
  t: ExecutionContext,
  service: Port,
  options: Parameters<typeof GateStage.create>[2] = {},
): Promise<{ stage: GateStage; port: DatagramPort; local: Endpoint }> {
  const stage = await GateStage.create(t, service, { ...options, protocol: 'udp' });
  const local = { address: loopback, port: await freePort() };
  const port = await openDatagramPort(stage.grant(), local);
  t.teardown(() => {
    port.close();
  });
  return { stage, port, local };
}

/** A program on the client's side. */
class Asker {
  readonly #socket: Socket = createSocket('udp4');
  readonly #to: Endpoint;
  #heard: Buffer[] = [];

  constructor(t: ExecutionContext, to: Endpoint) {
    this.#to = to;
    this.#socket.on('message', (bytes) => this.#heard.push(bytes));
    t.teardown(() => this.#socket.close());
  }

  tell(what: string | Buffer): void {
    this.#socket.send(what, this.#to.port, this.#to.address);
  }

  async ask(what: string | Buffer): Promise<Buffer> {
    this.#heard = [];
    this.tell(what);
    await until(() => this.#heard.length > 0, 'an answer', 30_000);
    return this.#heard[0] ?? Buffer.of();
  }
}

test('each sender gets his own answers, from a port of his own at the service', async (t) => {
  const seen = new Map<string, number>();
  const service = await serveDatagrams(t, (bytes, from) => {
    seen.set(String(bytes), from.port);
    return `${String(bytes)}!`;
  });
  const { stage, local } = await enter(t, service);
  const [a, b] = [new Asker(t, local), new Asker(t, local)];
  const answers = await Promise.all([a.ask('a'), b.ask('b')]);
  t.deepEqual(answers.map(String), ['a!', 'b!']);
  t.is(String(await a.ask('a again')), 'a again!');
  t.is(seen.get('a again'), seen.get('a'));
  t.not(seen.get('a'), seen.get('b'));
  t.like(stage.gate.counters(), { admitted: 1, waiting: 0, visitors: 1 });
});

test('datagrams arrive as they were: the empty one, and the longest', async (t) => {
  const service = await serveDatagrams(t, (bytes) => bytes);
  const { local } = await enter(t, service);
  const asker = new Asker(t, local);
  t.is((await asker.ask('')).length, 0);
  const longest = Buffer.alloc(65_507, 0x42);
  t.true((await asker.ask(longest)).equals(longest));
});

test('of more senders than there may be flows, all are answered', async (t) => {
  const ports = new Set<number>();
  const service = await serveDatagrams(t, (bytes, from) => {
    ports.add(from.port);
    return bytes;
  });
  const { local } = await enter(t, service);
  for (let i = 0; i < 2 * MAX_FLOWS; i++) t.is(String(await new Asker(t, local).ask('me')), 'me');
  t.true(ports.size > MAX_FLOWS);
});

test('what the service says after a flow was forgotten reaches nobody', async (t) => {
  const service = await serveDatagrams(t, (bytes) => bytes);
  const clock = new FakeClock();
  const { stage, local } = await enter(t, service, { clock });
  const asker = new Asker(t, local);
  t.is(String(await asker.ask('once')), 'once');
  t.is(stage.gate.counters()['flows'], 1);
  clock.advance(120_000);
  t.is(stage.gate.counters()['flows'], 0);
  t.is(String(await asker.ask('and again')), 'and again');
});

test('a service that asks for it is told in each datagram who sends it', async (t) => {
  const service = await serveDatagrams(t, (bytes) => bytes);
  const { local } = await enter(t, service, { proxyProtocol: true });
  const asker = new Asker(t, local);
  for (const text of ['one', 'two']) {
    const told = await asker.ask(text);
    t.is(told.subarray(12, 16).toString('hex'), '2112000c');
    t.is(told.subarray(16, 20).join('.'), '127.0.0.1');
    t.is(told.subarray(28).toString(), text);
  }
});

test('the end from the client ends the flows; a cut breaks off', async (t) => {
  const service = await serveDatagrams(t, (bytes) => bytes);
  const { stage, port, local } = await enter(t, service);
  await new Asker(t, local).ask('hello');
  port.close();
  await port.closed;
  await until(() => stage.gate.counters()['visitors'] === 0, 'the visitor to leave');
  t.is(stage.gate.counters()['flows'], 0);

  const second = await openDatagramPort(stage.grant(), local);
  await new Asker(t, local).ask('hello');
  stage.gate.cut({ peer: parsePeerName('alice'), source: null });
  t.is((await faultOf(() => second.closed)).code, 'connection');
  await until(() => stage.gate.counters()['flows'] === 0, 'the flows to end');
});

test('a local port is for one UDP port, and one that is free', async (t) => {
  const stage = await GateStage.create(t, 53 as Port, { protocol: 'udp' });
  const local = { address: loopback, port: await freePort() };
  for (const ports of [['tcp/53'], ['udp/53', 'udp/54']]) {
    const grant = { ...stage.grant(), ports: ports.map(parseServicePort) };
    t.is((await faultOf(() => openDatagramPort(grant, local))).code, 'usage');
  }
  const taken = createSocket('udp4').bind(local.port, local.address);
  t.teardown(() => taken.close());
  t.is((await faultOf(() => openDatagramPort(stage.grant(), local))).code, 'bind');
});
