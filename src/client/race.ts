import { HknockError } from '../errors/hknock-error.ts';
import type { Clock } from '../host/clock.ts';
import type { IpAddress } from '../units/network.ts';

/** Time that an address has for itself before the next one is tried as well (RFC 8305, section 5). */
const ATTEMPT_DELAY_MS = 250;

/** Something under way that can be given up. */
export interface Attempt {
  close(): Promise<void>;
}

interface RaceOptions<T extends Attempt> {
  readonly addresses: readonly IpAddress[];
  readonly clock: Clock;
  /** Begins at one address. */
  readonly begin: (address: IpAddress) => Promise<T>;
  /** Resolves when the attempt has won. */
  readonly succeeds: (attempt: T) => Promise<unknown>;
}

/**
 * Tries addresses one after the other, each as soon as the one before has failed or has had its time, until one succeeds;
 * the others are given up (RFC 8305, *Happy Eyeballs*).
 * @throws {HknockError} the first fault when all have failed, `no-answer` when there are no addresses
 */
export async function race<T extends Attempt>(options: RaceOptions<T>): Promise<T> {
  const begun = new Set<T>();
  let over = false;
  const attempt = async (address: IpAddress): Promise<T> => {
    const each = await options.begin(address);
    begun.add(each);
    if (over) await each.close();
    await options.succeeds(each);
    return each;
  };
  try {
    const winner = await firstOf(attempt, options);
    begun.delete(winner);
    return winner;
  } finally {
    over = true;
    await Promise.all([...begun].map((each) => each.close()));
  }
}

function firstOf<T>(
  attempt: (address: IpAddress) => Promise<T>,
  { addresses, clock }: Pick<RaceOptions<never>, 'addresses' | 'clock'>,
): Promise<T> {
  const waiting = [...addresses];
  const tried: Promise<T>[] = [];
  let failed = 0;
  return new Promise((resolve, reject) => {
    const tryNext = (): void => {
      const address = waiting.shift();
      if (address === undefined) return;
      const turn = clock.after(ATTEMPT_DELAY_MS, tryNext);
      const trying = attempt(address);
      tried.push(trying);
      trying
        .finally(() => {
          turn.cancel();
        })
        .then(
          (winner) => {
            waiting.length = 0;
            resolve(winner);
          },
          () => {
            const [first] = tried;
            failed++;
            if (failed === addresses.length && first !== undefined) resolve(first);
            else tryNext();
          },
        );
    };
    if (waiting.length === 0) reject(new HknockError('no-answer', 'the host has no address'));
    else tryNext();
  });
}
