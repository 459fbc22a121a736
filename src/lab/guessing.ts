import type { Packet } from './packet.ts';

/** How somebody who knows all but the secrets guesses at a scheme. */
export interface Guessing {
  /** What he sends for one guess. */
  readonly guess: () => readonly Packet[];
  /** One guess in so many lets him in, at the most: what it has to hit, from the specification. */
  readonly oneIn: bigint;
  /** So often it is tried. */
  readonly guesses: number;
  /** So many from one address the scheme looks at in a day; where nothing is said, all that come. */
  readonly perDay?: number;
  /** How many packets the scheme has looked at so far that were no knock. */
  readonly looks: () => Promise<number>;
  /** Whether an answer shows that the guess was the connection itself, and right. */
  readonly isIn?: (answer: Packet) => boolean;
}

/** What came of guessing. */
export interface Guessed extends Pick<Guessing, 'guesses' | 'oneIn' | 'perDay'> {
  /** As fast as they were sent. */
  readonly perSecond: number;
  /** Packets of them that the scheme has looked at. */
  readonly looks: number;
}

const SECONDS_A_DAY = 24 * 60 * 60;

/** How long it takes at that rate until a guess is right, on average. */
export function expectedSeconds({ oneIn, perSecond, perDay = Infinity }: Guessed): number {
  return Number(oneIn) / Math.min(perSecond, perDay / SECONDS_A_DAY);
}
