import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { FramedStream } from '../../../../src/admission/gate/framed-stream.ts';
import { until } from '../../../support/netns.ts';
import { heard } from '../../client/heard.ts';

/** Two ends of one connection. */
async function pair(t: ExecutionContext): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  for (const each of [near, far]) {
    each.on('error', () => undefined);
    t.teardown(() => each.destroy());
  }
  return [near, far];
}

test('each end of data is told by itself, and then both hang up', async (t) => {
  const [near, far] = await pair(t);
  const [mine, his] = [new FramedStream(near), new FramedStream(far)];
  mine.end('mine');
  t.is(String(await heard(his)), 'mine');
  his.write('his');
  his.end();
  t.is(String(await heard(mine)), 'his');
  await until(() => near.destroyed && far.destroyed, 'both to hang up');
  t.is(near.errored, null);
  t.is(far.errored, null);
});

test('the end of the connection is not the end of the data', async (t) => {
  const [near, far] = await pair(t);
  const mine = new FramedStream(near);
  far.end(Buffer.from([0, 3, 1, 2, 3]));
  mine.resume();
  const [error] = (await once(mine, 'error')) as [Error];
  t.is(error.message, 'the connection was cut');
});

test('nor is a reset', async (t) => {
  const [near, far] = await pair(t);
  const mine = new FramedStream(near);
  far.resetAndDestroy();
  mine.resume();
  t.truthy(await once(mine, 'error'));
});

test('data behind the end breaks the connection off', async (t) => {
  const [near, far] = await pair(t);
  const mine = new FramedStream(near);
  far.write(Buffer.from([0, 1, 65, 0, 0, 0, 1, 66]));
  mine.resume();
  const [error] = (await once(mine, 'error')) as [Error];
  t.is(error.message, 'the other side went on after its end');
});
