import { randomInt } from 'node:crypto';
import { parsePortRange } from '../../units/network.ts';
import { type SequenceShape, sliceWidth } from '../../units/sequence-shape.ts';
import type { Guessing } from '../guessing.ts';
import { inOrder, packetsAt, shuffled, syns, udps } from './guesses.ts';

/** So many packets to watched ports of one address does sequence mode look at in 15 s (sequence.md, section 2). */
const BUDGET = 32;
const WINDOW_MS = 15_000;
const DAY_MS = 86_400_000;
const PACKETS_A_DAY = (BUDGET * DAY_MS) / WINDOW_MS;

/** All of them, and as many again, at which it does not look. */
const OVER_BUDGET = 2 * BUDGET;

/** Six slices of the ports (sequence.md, section 7). */
const TOTP: SequenceShape = { protocol: 'tcp', ...parsePortRange('20000-32767'), count: 6 };

/** What the classic schemes are asked to open here, and behind that the sum of its digits modulo 10 (sequence-dynamic.md, section 2). */
const WISH = '080806';

/** How somebody guesses at the sequences of the laboratory, each by the bounds of its page of the specification. */
export const guessingAtSequences = {
  /** A sweep over all ports in any order hits the 24 of the scheme, the eight of `open` one behind the other (sequence-fixed.md, section 3). */
  fixed: {
    guess: () => syns(shuffled(inOrder(7000, 7999))),
    oneIn: 24n * 23n * 22n * 21n * 20n * 19n * 18n,
    guesses: 1,
    perDay: Math.floor(PACKETS_A_DAY / 24),
  },
  /** Header and footer have five digits each; the footer of one guess is the header of the next. */
  dynamic: {
    guess: () => syns(Array.from(`${WISH}${fiveDigits()}`, (digit) => 9100 + Number(digit))),
    oneIn: 10n ** 10n,
    guesses: 5,
    perDay: Math.floor(PACKETS_A_DAY / 11),
  },
  /** With each packet the last eight are others: checksum, port and the sender's address must be right. */
  encrypted: {
    guess: () => syns([randomInt(9300, 9556)]),
    oneIn: 2n ** 56n,
    guesses: OVER_BUDGET,
    perDay: PACKETS_A_DAY,
  },
  /** Six different ports of a hundred, and a minute's lock-out for each that are wrong. */
  'one-time': {
    guess: () => syns(shuffled(inOrder(10_000, 10_099)).slice(0, 6)),
    oneIn: 100n * 99n * 98n * 97n * 96n * 95n,
    guesses: 2,
    perDay: 24 * 60,
  },
  /** All ports in order, by TCP and UDP, are each sequence that ascends: one in six of those of three knocks. */
  'fwknop-shared': {
    guess: () => inOrder(9500, 9999).flatMap((port) => packetsAt(port)),
    oneIn: 6n,
    guesses: 1,
    perDay: Math.floor(PACKETS_A_DAY / 3),
  },
  /** With each two packets the last sixteen are others: a block that passes, with the sender's address in it. */
  'fwknop-encrypted': {
    guess: () => [...syns([anyByte()]), ...udps([anyByte()])],
    oneIn: 2n ** (72n + 32n),
    guesses: OVER_BUDGET / 2,
    perDay: PACKETS_A_DAY / 2,
  },
  totp: guessingAtTotp(TOTP, { budget: BUDGET, windowMs: WINDOW_MS, secrets: 1 }),
} as const satisfies Readonly<Record<string, Omit<Guessing, 'looks'>>>;

interface TotpLimits {
  readonly budget: number;
  readonly windowMs: number;
  /** How many of them are good at a time, each with a sequence of its own. */
  readonly secrets: number;
}

/**
 * With each packet its slice has one more port, and the others have a share of the packets before it; the sequences of three steps are
 * good (sequence.md, sections 3 and 4).
 */
export function guessingAtTotp(
  shape: SequenceShape,
  { budget, windowMs, secrets }: TotpLimits,
): Omit<Guessing, 'looks'> & { readonly perDay: number } {
  const { protocol, first, count } = shape;
  const width = sliceWidth(shape);
  const knocks = BigInt(count);
  const good = 3n * BigInt(secrets) * BigInt(budget) ** (knocks - 1n);
  const send = protocol === 'tcp' ? syns : udps;
  return {
    guess: () => send([first + randomInt(count * width)]),
    oneIn: (BigInt(width) ** knocks * knocks ** (knocks - 1n)) / good,
    guesses: 2 * budget,
    perDay: (budget * DAY_MS) / windowMs,
  };
}

function fiveDigits(): string {
  return String(randomInt(100_000)).padStart(5, '0');
}

function anyByte(): number {
  return 9700 + randomInt(256);
}
