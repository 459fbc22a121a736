import test from 'ava';
import { MAX_FLOWS } from '../../../src/admission/gate/datagram-tunnel.ts';
import { Senders } from '../../../src/client/senders.ts';
import { address } from '../grants/plans.ts';

const sender = (port: number) => ({ address: address('127.0.0.1'), port });

test('a sender keeps his number, and the one who has been silent longest loses it', (t) => {
  const senders = new Senders();
  const first = senders.flowOf(sender(1));
  const second = senders.flowOf(sender(2));
  for (let port = 3; port <= MAX_FLOWS; port++) senders.flowOf(sender(port));
  t.is(senders.flowOf(sender(1)), first);
  senders.flowOf(sender(MAX_FLOWS + 1));
  t.is(senders.find(second), null);
  t.deepEqual(senders.find(first), sender(1));
});

test('a number is not used again before all others have been', (t) => {
  const senders = new Senders();
  const first = senders.flowOf(sender(1));
  const numbers = new Set([first]);
  for (let n = 1; n < 65_536; n++) {
    senders.flowOf(sender(1));
    numbers.add(senders.flowOf(sender(2 + (n % 60_000))));
  }
  t.is(numbers.size, 65_536);
  t.not(senders.flowOf(sender(65_000)), first, 'whose flow lives');
});
