import { randomInt } from 'node:crypto';
import type { Guessing } from '../guessing.ts';
import { inOrder, packetsAt, shuffled, syns, udps } from './guesses.ts';

/** So many packets to watched ports of one address does sequence mode look at in 15 s (sequence.md, section 2). */
const BUDGET = 32;
const PACKETS_A_DAY = (BUDGET * 24 * 60 * 60) / 15;

/** All of them, and as many again, at which it does not look. */
const OVER_BUDGET = 2 * BUDGET;

/** Six slices of the ports (sequence.md, section 7). */
const TOTP = { first: 20_000, knocks: 6, width: 2128 } as const;

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
  /**
   * With each packet its slice has one more port, and the others have those of five or six packets before it; the sequences of three
   * steps are good (sequence.md, sections 3 and 4).
   */
  totp: {
    guess: () => syns([TOTP.first + randomInt(TOTP.knocks * TOTP.width)]),
    oneIn: (BigInt(TOTP.width) ** 6n * 6n ** 5n) / (3n * BigInt(BUDGET) ** 5n),
    guesses: OVER_BUDGET,
    perDay: PACKETS_A_DAY,
  },
} as const satisfies Readonly<Record<string, Omit<Guessing, 'looks'>>>;

function fiveDigits(): string {
  return String(randomInt(100_000)).padStart(5, '0');
}

function anyByte(): number {
  return 9700 + randomInt(256);
}
