import test from 'ava';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { until } from '../../../support/netns.ts';
import { heard } from '../../client/heard.ts';
import { GateStage, serve } from './gates.ts';

const CONNECTIONS = 2000;
const AT_ONCE = 20;
const PATIENT_MS = 30_000;

/** Sockets that Node holds open, ours and the test's. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCPSocket|TLS/.test(name)).length;
}

test(`${String(CONNECTIONS)} connections leave no handle behind`, async (t) => {
  const port = await serve(t, (socket) => socket.pipe(socket));
  // a busy machine may be slower than the gate's patience
  const stage = await GateStage.create(t, port, { clock: new FakeClock() });
  const before = sockets();
  let left = CONNECTIONS;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const stream = await stage.enter();
      // every tenth is broken off by the client, and every tenth by a cut
      if (left % 10 === 0) stream.destroy();
      else if (left % 10 === 1) stream.on('error', () => undefined).resume();
      else {
        stream.end('hello');
        t.is(String(await heard(stream)), 'hello');
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  t.true(sockets() > before, 'those that are to be cut are there');
  stage.gate.cut({ peer: 'alice' as never, source: null });
  await until(() => stage.gate.counters()['visitors'] === 0, 'the visitors to leave', PATIENT_MS);
  await until(() => sockets() <= before, 'the sockets to be closed', PATIENT_MS);
  t.like(stage.gate.counters(), { admitted: CONNECTIONS, waiting: 0 });
});
