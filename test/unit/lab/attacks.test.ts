import test from 'ava';
import { attacksOf } from '../../../src/lab/attacks/all.ts';
import { attackers } from '../../../src/lab/model.ts';

test('an attacker tries all that he has the means for; what takes none is tried in the column of B1 alone', (t) => {
  const tried = attackers.map((attacker) => [
    attacker.name,
    attacksOf(attacker).map(({ name }) => name),
  ]);
  t.deepEqual(tried, [
    ['b1', ['scan', 'brute force']],
    ['a1', ['replay']],
    ['a1a2', ['hold back', 'rewrite', 'replay']],
    [
      'a1a2a3',
      ['forged answers', 'cookie reuse', 'takeover', 'relay', 'hold back', 'rewrite', 'replay'],
    ],
    ['b2', ['former client']],
    ['nat', ['NAT-knocking']],
    ['dos', ['interruption', 'DoS-knocking']],
  ]);
});
