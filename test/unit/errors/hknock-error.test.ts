import test from 'ava';
import { HknockError } from '../../../src/errors/hknock-error.ts';

test('carries code, sentence, hint and cause', (t) => {
  const cause = new Error('EADDRINUSE');
  const fault = new HknockError('bind', 'the port is taken', { hint: 'choose another', cause });
  t.true(fault instanceof Error);
  t.like(fault, { name: 'HknockError', code: 'bind', message: 'the port is taken' });
  t.is(fault.hint, 'choose another');
  t.is(fault.cause, cause);
});

test('has a cause only when there is one', (t) => {
  t.false('cause' in new HknockError('usage', 'no'));
  t.is(new HknockError('usage', 'no').hint, undefined);
});
