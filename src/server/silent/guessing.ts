import type { ServerFolder } from '../../config/server-folder.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Firewall } from '../../host/firewall.ts';
import { guessesADay, guessingOdds, liveNumbers, TOLERATED_ODDS } from '../../silent/odds.ts';
import type { Port } from '../../units/network.ts';
import { offersOf } from './offers.ts';

/** Numbers at a time, of all ports: leaves a quarter of the kernel's room to those that have run out. */
const MAX_NUMBERS = 786_432;

type Folder = Pick<ServerFolder, 'config' | 'peers'>;
type Enforcing = Pick<Firewall, 'admissions'>;

/** How likely it is that a stranger comes in by guessing. */
export interface Guessing {
  /** The port where it is likeliest; null when all ways lead through the gate, or nowhere. */
  readonly port: Port | null;
  /** Numbers that this port takes at a time. */
  readonly numbers: number;
  /** Wrong numbers that are looked at in a day. */
  readonly guesses: number;
  /** Within a day, at most. */
  readonly odds: number;
}

/** The odds of a folder (silent.md, section 6). */
export function guessingOf({ config, peers }: Folder, firewall: Enforcing): Guessing {
  const { guessesPerDay } = config.silent;
  const offers = new Map<Port, number>();
  for (const { way, port } of offersOf({ config, peers }, firewall)) {
    if (way === 'service') offers.set(port, (offers.get(port) ?? 0) + 1);
  }
  const [likeliest] = [...offers].sort(([, a], [, b]) => b - a);
  const numbers = liveNumbers(likeliest?.[1] ?? 0, config.silent);
  const guesses = guessesADay(guessesPerDay);
  return { port: likeliest?.[0] ?? null, numbers, guesses, odds: guessingOdds(numbers, guesses) };
}

/** `1 in 1,100,000` */
export function formatOdds(odds: number): string {
  return odds === 0 ? 'none' : `1 in ${Math.floor(1 / odds).toLocaleString('en')}`;
}

/**
 * Refuses what a stranger could guess too easily, and what the kernel has no room for.
 * @throws {HknockError} `config`
 */
export function requireUnlikely({ config, peers }: Folder, firewall: Enforcing): void {
  const { enabled, allowsGuessingOdds } = config.silent;
  if (!enabled) return;
  const count = liveNumbers(offersOf({ config, peers }, firewall).length, config.silent);
  if (count > MAX_NUMBERS) {
    const message = `silent mode would need ${String(count)} numbers at a time, and has room for ${String(MAX_NUMBERS)}`;
    throw new HknockError('config', message, { hint: 'lower slots in [silent]' });
  }
  const { port, odds } = guessingOf({ config, peers }, firewall);
  if (odds <= TOLERATED_ODDS || allowsGuessingOdds || port === null) return;
  throw new HknockError(
    'config',
    `silent mode would let a stranger in at tcp/${String(port)} with odds of ${formatOdds(odds)} a day`,
    {
      hint: "let its services have admission 'gate', lower slots or guesses_per_day in [silent], or say allow_guessing_odds = true there",
    },
  );
}
