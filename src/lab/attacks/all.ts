import type { Attack } from '../attack.ts';
import type { Attacker } from '../model.ts';
import { bruteForce } from './brute-force.ts';
import { cookieReuse } from './cookie-reuse.ts';
import { dosKnocking } from './dos-knocking.ts';
import { forgedAnswers } from './forged-answers.ts';
import { formerClient } from './former-client.ts';
import { holdBack, rewrite } from './hold-back.ts';
import { interruption } from './interruption.ts';
import { natKnocking } from './nat-knocking.ts';
import { relay } from './relay.ts';
import { replay } from './replay.ts';
import { scan } from './scan.ts';
import { takeover } from './takeover.ts';

/**
 * Those that need most come first: what a lesser attacker can do has a column of its own. Once one has succeeded no other is tried:
 * so before the takeover, and the flood, come those that a scheme should stand whatever becomes of it then.
 */
export const attacks: readonly Attack[] = [
  forgedAnswers,
  cookieReuse,
  takeover,
  relay,
  holdBack,
  rewrite,
  replay,
  formerClient,
  natKnocking,
  interruption,
  dosKnocking,
  scan,
  bruteForce,
];

/** All that an attacker has the means for. What all can do is in the column of him who can do nothing else. */
export function attacksOf({ can }: Attacker): readonly Attack[] {
  if (can.length === 0) return attacks.filter(({ needs }) => needs.length === 0);
  return attacks.filter(
    ({ needs }) => needs.length > 0 && needs.every((each) => can.includes(each)),
  );
}
