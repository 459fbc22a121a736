import test from 'ava';
import { Turns } from '../../../../src/firewall/nftables/turns.ts';

test('all of one turn of the event loop runs together, in order, and nothing overlaps', async (t) => {
  const ran: string[] = [];
  let running = 0;
  const work = async (name: string): Promise<void> => {
    t.is(++running, 1);
    ran.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  };
  const turns = new Turns<string>((items) => work(items.join('+')));
  turns.add('a');
  turns.add('b');
  const alone = turns.alone(() => work('alone'));
  turns.add('c');
  await Promise.resolve();
  turns.add('d');
  await alone;
  turns.add('e');
  await turns.alone(() => Promise.resolve());
  t.deepEqual(ran, ['a+b', 'alone', 'c+d+e']);
});

test('what rejects alone holds nothing up', async (t) => {
  const turns = new Turns<string>(() => Promise.resolve());
  await t.throwsAsync(turns.alone(() => Promise.reject(new Error('no'))));
  t.is(await turns.alone(() => Promise.resolve(1)), 1);
});
