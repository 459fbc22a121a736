import test from 'ava';
import { initialSequence } from '../../src/admission/initial-sequence.ts';
import { bytes, readVectors } from './vector-file.ts';

for (const { name, sessionSecret, initialSequence: expected } of readVectors('initial-sequences')) {
  test(name, (t) => {
    t.is(initialSequence(bytes(sessionSecret)), expected);
  });
}
