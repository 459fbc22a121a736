import type { Attack } from '../attack.ts';
import type { Attacker } from '../model.ts';
import { bruteForce } from './brute-force.ts';
import { dosKnocking } from './dos-knocking.ts';
import { formerClient } from './former-client.ts';
import { holdBack, rewrite } from './hold-back.ts';
import { natKnocking } from './nat-knocking.ts';
import { relay } from './relay.ts';
import { replay } from './replay.ts';
import { scan } from './scan.ts';
import { takeover } from './takeover.ts';

/** Those that need most come first: what a lesser attacker can do has a column of its own. */
export const attacks: readonly Attack[] = [
  takeover,
  relay,
  holdBack,
  rewrite,
  replay,
  formerClient,
  natKnocking,
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
