import test from 'ava';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { DropLog } from '../../../src/server/drop-log.ts';

test('a flood of one reason makes a few lines, and the next says how many are missing', (t) => {
  const clock = new FakeClock();
  const log = new FakeLog();
  const drops = new DropLog('dropped', { clock, log });
  for (let i = 0; i < 10_000; i++) drops.say('mac', { source: '192.0.2.1' });
  t.is(log.lines.length, 5);
  drops.say('proof', { source: '192.0.2.2' });
  t.is(log.lines.length, 6, 'another reason has lines of its own');
  clock.advance(5000);
  drops.say('mac', { source: '192.0.2.3' });
  t.like(log.lines[6], {
    level: 'warn',
    event: 'dropped',
    fields: { reason: 'mac', source: '192.0.2.3', unsaid: 9995 },
  });
  clock.advance(5000);
  drops.say('mac', { source: '192.0.2.3' });
  t.is(log.lines[7]?.fields['unsaid'], undefined, 'said once');
});
