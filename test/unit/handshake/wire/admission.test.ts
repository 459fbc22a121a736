import test from 'ava';
import {
  decodeAdmission,
  decodeAdmissionSet,
  encodeAdmission,
  encodeAdmissionSet,
} from '../../../../src/handshake/wire/admission.ts';
import { admissions } from '../../../../src/units/admission.ts';

test('every byte means one admission, none, or nothing at all', (t) => {
  t.is(encodeAdmission(null), 0);
  t.deepEqual(admissions.map(encodeAdmission), [1, 2, 3, 4, 5]);
  for (let byte = 0; byte < 256; byte++) {
    const admission = decodeAdmission(byte);
    if (admission === undefined) t.true(byte > 5);
    else t.is(encodeAdmission(admission), byte);
  }
});

test('every set of bits means one set of admissions or nothing', (t) => {
  t.is(encodeAdmissionSet(['address']), 1);
  t.is(encodeAdmissionSet(['gate', 'once']), 0b10010);
  for (let bits = 0; bits < 256; bits++) {
    const set = decodeAdmissionSet(bits);
    if (set === null) t.true(bits >= 32);
    else t.is(encodeAdmissionSet(set), bits);
  }
});
