import type { Attack } from '../attack.ts';
import type { Attacker } from '../model.ts';
import { dosKnocking } from './dos-knocking.ts';
import { formerClient } from './former-client.ts';
import { holdBack, rewrite } from './hold-back.ts';
import { natKnocking } from './nat-knocking.ts';
import { relay } from './relay.ts';
import { replay } from './replay.ts';
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
];

/** All that an attacker has the means for. */
export function attacksOf({ can }: Attacker): readonly Attack[] {
  return attacks.filter(({ needs }) => needs.every((each) => can.includes(each)));
}
