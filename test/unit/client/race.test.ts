import test from 'ava';
import { type Attempt, race } from '../../../src/client/race.ts';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import type { IpAddress } from '../../../src/units/network.ts';
import { address } from '../grants/plans.ts';

/** RFC 8305, section 5 */
const ATTEMPT_DELAY_MS = 250;

const [first, second, third] = ['192.0.2.1', '2001:db8::1', '192.0.2.2'].map(address) as [
  IpAddress,
  IpAddress,
  IpAddress,
];

/** An attempt that a test lets win or fail. */
class Trial implements Attempt {
  readonly address: IpAddress;
  readonly outcome: Promise<void>;
  closed = 0;
  win: () => void = () => undefined;
  fail: (fault: Error) => void = () => undefined;

  constructor(at: IpAddress) {
    this.address = at;
    this.outcome = new Promise((resolve, reject) => {
      this.win = resolve;
      this.fail = reject;
    });
    this.outcome.catch(() => undefined);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

/** Lets everything that waits for nothing but its turn happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(addresses: readonly IpAddress[], unreachable: readonly IpAddress[] = []) {
  const clock = new FakeClock();
  const trials: Trial[] = [];
  const winner = race({
    lookups: [Promise.resolve(addresses)],
    clock,
    begin: (at) => {
      if (unreachable.includes(at)) return Promise.reject(new HknockError('no-answer', at));
      const trial = new Trial(at);
      trials.push(trial);
      return Promise.resolve(trial);
    },
    succeeds: (trial) => trial.outcome,
  });
  winner.catch(() => undefined);
  const begun = (): readonly IpAddress[] => trials.map((each) => each.address);
  const trial = (at: number): Trial => {
    const found = trials[at];
    if (found === undefined) throw new Error(`only ${String(trials.length)} attempts`);
    return found;
  };
  return { clock, winner, begun, trial };
}

test('the first address has the field to itself until its time is over', async (t) => {
  const { clock, winner, begun, trial } = setUp([first, second]);
  await turn();
  clock.advance(ATTEMPT_DELAY_MS - 1);
  await turn();
  t.deepEqual(begun(), [first]);
  clock.advance(1);
  await turn();
  t.deepEqual(begun(), [first, second]);
  trial(0).win();
  t.is((await winner).address, first);
});

test('a later address can win, and the others are given up', async (t) => {
  const { clock, winner, trial } = setUp([first, second, third]);
  await turn();
  clock.advance(ATTEMPT_DELAY_MS);
  await turn();
  clock.advance(ATTEMPT_DELAY_MS);
  await turn();
  trial(1).win();
  t.is((await winner).address, second);
  t.deepEqual([trial(0).closed, trial(1).closed, trial(2).closed], [1, 0, 1]);
});

test('an address that fails makes way at once', async (t) => {
  const { winner, begun, trial } = setUp([first, second]);
  await turn();
  trial(0).fail(new Error('no'));
  await turn();
  t.deepEqual(begun(), [first, second]);
  trial(1).win();
  t.is((await winner).address, second);
  t.is(trial(0).closed, 1);
});

test('an address that cannot even be begun makes way at once', async (t) => {
  const { winner, begun, trial } = setUp([first, second], [first]);
  await turn();
  t.deepEqual(begun(), [second]);
  trial(0).win();
  t.is((await winner).address, second);
});

test('once there is a winner, no further address is tried', async (t) => {
  const { clock, winner, begun, trial } = setUp([first, second]);
  await turn();
  trial(0).win();
  await winner;
  clock.advance(10 * ATTEMPT_DELAY_MS);
  await turn();
  t.deepEqual(begun(), [first]);
});

test('the next address has its whole time, however early its turn came', async (t) => {
  const { clock, begun, trial, winner } = setUp([first, second, third]);
  await turn();
  clock.advance(100);
  trial(0).fail(new Error('no'));
  await turn();
  clock.advance(ATTEMPT_DELAY_MS - 1);
  await turn();
  t.deepEqual(begun(), [first, second]);
  trial(1).win();
  await winner;
});

test('an attempt that fails after the race does not bring the next', async (t) => {
  const { clock, begun, trial, winner } = setUp([first, second, third]);
  await turn();
  clock.advance(ATTEMPT_DELAY_MS);
  await turn();
  trial(0).win();
  await winner;
  trial(1).fail(new Error('given up'));
  await turn();
  t.deepEqual(begun(), [first, second]);
});

test('when all fail, it is the fault of the first', async (t) => {
  const { clock, winner, trial } = setUp([first, second]);
  await turn();
  clock.advance(ATTEMPT_DELAY_MS);
  await turn();
  trial(1).fail(new Error('second'));
  await turn();
  trial(0).fail(new Error('first'));
  await t.throwsAsync(winner, { message: 'first' });
  t.deepEqual([trial(0).closed, trial(1).closed], [1, 1]);
});

test('what begins after the race is over is closed at once', async (t) => {
  const clock = new FakeClock();
  const late = new Trial(second);
  const quick = new Trial(first);
  let arrive: (trial: Trial) => void = () => undefined;
  const winner = race<Trial>({
    lookups: [Promise.resolve([first, second])],
    clock,
    begin: (at) =>
      at === first ? Promise.resolve(quick) : new Promise((resolve) => (arrive = resolve)),
    succeeds: (trial) => trial.outcome,
  });
  await turn();
  clock.advance(ATTEMPT_DELAY_MS);
  await turn();
  quick.win();
  t.is(await winner, quick);
  arrive(late);
  await turn();
  t.is(late.closed, 1);
  t.is(quick.closed, 0);
});

test('no address at all is no answer', async (t) => {
  const { winner } = setUp([]);
  await t.throwsAsync(winner, { instanceOf: HknockError, code: 'no-answer' });
});

test('a look-up that is slow or fails keeps no address back', async (t) => {
  const clock = new FakeClock();
  const begun: IpAddress[] = [];
  let found: (addresses: readonly IpAddress[]) => void = () => undefined;
  const slow = new Promise<readonly IpAddress[]>((resolve) => {
    found = resolve;
  });
  const failed = Promise.reject(new HknockError('no-answer', 'no such name'));
  const winner = race({
    lookups: [failed, slow, Promise.resolve([first])],
    clock,
    begin: (at) => {
      begun.push(at);
      return Promise.resolve(new Trial(at));
    },
    succeeds: (trial) => (trial.address === second ? Promise.resolve() : trial.outcome),
  });
  await turn();
  t.deepEqual(begun, [first]);
  clock.advance(ATTEMPT_DELAY_MS);
  await turn();
  t.deepEqual(begun, [first]);
  found([first, second]);
  t.is((await winner).address, second);
  t.deepEqual(begun, [first, second]);
});
