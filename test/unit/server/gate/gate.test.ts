import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import test from 'ava';
import { connectGranted } from '../../../../src/client/connect.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { TIME_LIMIT_MS } from '../../../../src/server/gate/waiting-room.ts';
import { parsePeerName } from '../../../../src/units/names.ts';
import { until } from '../../../support/netns.ts';
import { bob } from '../../grants/plans.ts';
import { faultOf } from '../../store/scratch.ts';
import { heard } from '../../client/heard.ts';
import { GateStage, serve } from './gates.ts';

test('a grant lets one connection through to the service, with both ends of data', async (t) => {
  // answers when it has heard all
  const port = await serve(t, (socket) => {
    const all: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => all.push(bytes));
    socket.on('end', () => socket.end(Buffer.concat(all).toString().toUpperCase()));
  });
  const stage = await GateStage.create(t, port);
  const stream = await stage.enter();
  stream.end('hello');
  t.is(String(await heard(stream)), 'HELLO');
  await until(() => stage.gate.counters()['visitors'] === 0, 'the connection to end');
  t.like(stage.gate.counters(), { connections: 1, unproven: 0, admitted: 1, waiting: 0 });
});

test('the end of the answer is told while we go on', async (t) => {
  let letter = '';
  const port = await serve(t, (socket) => {
    socket.end('posted here');
    socket.on('data', (bytes) => (letter += String(bytes)));
  });
  const stage = await GateStage.create(t, port);
  const stream = await stage.enter();
  t.is(String(await heard(stream)), 'posted here');
  stream.end('a letter');
  await until(() => letter === 'a letter', 'the letter');
});

test('much data arrives as it was, both ways at once', async (t) => {
  const port = await serve(t, (socket) => socket.pipe(socket));
  const stage = await GateStage.create(t, port);
  const stream = await stage.enter();
  const data = randomBytes(8_000_000);
  stream.end(data);
  const back = createHash('sha256');
  for await (const bytes of stream) back.update(bytes as Buffer);
  t.is(back.digest('hex'), createHash('sha256').update(data).digest('hex'));
});

test('a service that does not read makes the client wait', async (t) => {
  const port = await serve(t, (socket) => socket.pause());
  const stage = await GateStage.create(t, port);
  const stream = await stage.enter();
  const chunk = Buffer.alloc(65_536);
  let written = 0;
  while (written < 200_000_000) {
    written += chunk.length;
    if (stream.write(chunk)) continue;
    const drained = await Promise.race([
      once(stream, 'drain').then(() => true),
      new Promise((resolve) => setTimeout(resolve, 500, false)),
    ]);
    if (drained === false) break;
  }
  t.true(written < 100_000_000, `${String(written)} bytes were taken`);
  stream.destroy();
});

test('a grant lets no second connection through', async (t) => {
  const port = await serve(t, (socket) => socket.pipe(socket));
  const clock = new FakeClock();
  const stage = await GateStage.create(t, port, { clock });
  const grant = stage.grant();
  const first = await connectGranted(grant);
  const second = faultOf(() => connectGranted(grant));
  await until(() => stage.gate.counters()['unproven'] === 1, 'the gate to judge');
  clock.advance(TIME_LIMIT_MS);
  const fault = await second;
  t.is(fault.code, 'connection');
  first.write('still there');
  t.is(String((await once(first, 'data'))[0]), 'still there');
  first.destroy();
});

test('a cut ends the connections of the peer and of nobody else', async (t) => {
  const port = await serve(t, (socket) => socket.pipe(socket));
  const stage = await GateStage.create(t, port);
  const [mine, his] = await Promise.all([stage.enter(), stage.enter({ peer: bob })]);
  await until(() => stage.gate.counters()['visitors'] === 2, 'both to be in');
  const broken = once(mine, 'error');
  stage.gate.cut({ peer: parsePeerName('alice'), source: null });
  t.regex(String(await broken), /cut/);
  his.write('still there');
  t.is(String((await once(his, 'data'))[0]), 'still there');
  his.destroy();
});
