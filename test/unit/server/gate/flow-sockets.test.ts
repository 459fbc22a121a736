import test from 'ava';
import { MAX_FLOWS } from '../../../../src/admission/gate/datagram-tunnel.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { FlowRoom, FlowSockets } from '../../../../src/server/gate/flow-sockets.ts';
import { until } from '../../../support/netns.ts';
import { loopback, serveDatagrams } from './gates.ts';

const bytes = Buffer.from('me');

test('a connection has so many flows at most, and gives them all back', async (t) => {
  const port = await serveDatagrams(t, () => null);
  const room = new FlowRoom();
  const service = { address: loopback, port };
  const flows = new FlowSockets({ service, room, clock: new FakeClock(), answer: () => undefined });
  for (let flow = 0; flow < 2 * MAX_FLOWS; flow++) flows.send({ flow, bytes });
  t.is(room.size, MAX_FLOWS);
  flows.close();
  t.is(room.size, 0);
});

test('when all connections together have as many as there may be, one makes do with those it has', async (t) => {
  const heard: number[] = [];
  const port = await serveDatagrams(t, (each) => each);
  const room = new FlowRoom();
  const service = { address: loopback, port };
  const answer = ({ flow }: { readonly flow: number }): void => {
    heard.push(flow);
  };
  const flows = new FlowSockets({ service, room, clock: new FakeClock(), answer });
  while (!room.isFull) room.enter(); // others
  flows.send({ flow: 1, bytes });
  room.leave();
  flows.send({ flow: 2, bytes });
  t.true(room.isFull);
  flows.send({ flow: 3, bytes });
  await until(() => heard.includes(3), 'an answer to the last', 30_000);
  t.false(heard.includes(1), 'dropped');
  flows.send({ flow: 2, bytes });
  await until(() => heard.includes(2), 'an answer', 30_000);
  flows.close();
});
