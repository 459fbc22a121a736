import type { ExecutionContext } from 'ava';
import { bindDatagramSocket } from '../../../src/dgram-ext/bind.ts';
import type { BindOptions, BoundSocket } from '../../../src/dgram-ext/bound-socket.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { until } from '../../support/netns.ts';

/** Binds for the length of a test. */
export async function bound(
  t: ExecutionContext,
  options: Omit<BindOptions, 'clock'> & Partial<BindOptions>,
): Promise<BoundSocket> {
  const socket = await bindDatagramSocket({ clock: new FakeClock(), ...options });
  t.teardown(() => socket.close());
  return socket;
}

/** Lets real datagrams travel. */
export function settle(isDone: () => boolean): Promise<void> {
  return until(isDone, 'datagrams to arrive');
}
