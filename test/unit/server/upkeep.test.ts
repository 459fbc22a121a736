import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { Upkeep } from '../../../src/server/upkeep.ts';

/** Rules that a test takes away, and lets be put back or not. */
function rulesUnderCare() {
  const state = { looks: 0, isThere: true, isTaken: true };
  const rules = {
    name: 'the rule',
    without: 'no rule',
    look: () => {
      state.looks++;
      return Promise.resolve(state.isThere);
    },
    putBack: () => {
      if (!state.isTaken) return Promise.reject(new Error('the kernel says no'));
      state.isThere = true;
      return Promise.resolve();
    },
  };
  const clock = new FakeClock();
  const log = new FakeLog();
  const upkeep = new Upkeep(rules, { clock, log });
  const pass = async (): Promise<void> => {
    clock.advance(5000);
    await setImmediate();
  };
  return { state, upkeep, log, pass };
}

test('rules that are gone are put back, as often as it happens', async (t) => {
  const { state, log, pass } = rulesUnderCare();
  await pass();
  t.deepEqual(log.lines, []);
  for (const times of [1, 2]) {
    state.isThere = false;
    await pass();
    t.true(state.isThere);
    t.is(
      log.lines.filter(({ event }) => event === 'the rule was gone and is put back').length,
      times,
    );
  }
});

test('what cannot be put back is told, and tried again', async (t) => {
  const { state, log, pass } = rulesUnderCare();
  Object.assign(state, { isThere: false, isTaken: false });
  await pass();
  t.like(log.lines.at(-1), { level: 'error', event: 'no rule' });
  state.isTaken = true;
  await pass();
  t.true(state.isThere);
});

test('nobody looks while the rules are worked on', async (t) => {
  const { state, upkeep, pass } = rulesUnderCare();
  let finish = (): void => undefined;
  const work = upkeep.inTurn(() => new Promise((resolve) => (finish = resolve)));
  await pass();
  t.is(state.looks, 0);
  finish();
  await work;
  await setImmediate();
  t.is(state.looks, 1);
  await t.throwsAsync(upkeep.inTurn(() => Promise.reject(new Error('broken'))));
  await pass();
  t.is(state.looks, 2, 'work that fails does not end it');
});

test('after the end nothing is put back', async (t) => {
  const { state, upkeep, pass } = rulesUnderCare();
  await upkeep.stop();
  state.isThere = false;
  await pass();
  t.false(state.isThere);
});
