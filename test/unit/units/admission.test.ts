import test from 'ava';
import { admissions, isAtLeastAsNarrow } from '../../../src/units/admission.ts';

test('the admissions stand from wide to narrow', (t) => {
  t.deepEqual(admissions, ['address', 'once', 'port', 'bound', 'gate']);
  admissions.forEach((offered, i) => {
    admissions.forEach((required, j) => {
      t.is(isAtLeastAsNarrow(offered, required), i >= j, `${offered} for ${required}`);
    });
  });
});
