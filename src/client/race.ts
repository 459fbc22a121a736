import { HknockError } from '../errors/hknock-error.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { IpAddress } from '../units/network.ts';

/** Time that an address has for itself before the next one is tried as well (RFC 8305, section 5). */
const ATTEMPT_DELAY_MS = 250;

/** Something under way that can be given up. */
export interface Attempt {
  close(): Promise<void>;
}

interface RaceOptions<T extends Attempt> {
  /** The addresses, each list as soon as it is known; a look-up that is slow or fails keeps none of the others back. */
  readonly lookups: readonly Promise<readonly IpAddress[]>[];
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
    const winner = await new Promise<T>((resolve, reject) => {
      new Contest({ attempt, clock: options.clock, resolve, reject }).enter(options.lookups);
    });
    begun.delete(winner);
    return winner;
  } finally {
    over = true;
    await Promise.all([...begun].map((each) => each.close()));
  }
}

interface ContestOptions<T> {
  readonly attempt: (address: IpAddress) => Promise<T>;
  readonly clock: Clock;
  readonly resolve: (winner: T) => void;
  readonly reject: (fault: Error) => void;
}

/** Whose turn it is, and whether there is still anybody to wait for. */
class Contest<T> {
  readonly #options: ContestOptions<T>;
  readonly #known = new Set<IpAddress>();
  readonly #waiting: IpAddress[] = [];
  /** In order of the attempts, not of their ends: what the first address came to says most. */
  readonly #faults: (Error | undefined)[] = [];
  readonly #lookupFaults: Error[] = [];
  /** Look-ups and attempts that may still lead somewhere. */
  #pending = 0;
  /** While it runs, the address tried last has its time for itself. */
  #turn: Timer | null = null;
  #isOver = false;

  constructor(options: ContestOptions<T>) {
    this.#options = options;
  }

  enter(lookups: readonly Promise<readonly IpAddress[]>[]): void {
    for (const lookup of lookups) {
      this.#pending++;
      lookup.then(
        (addresses) => {
          this.#settle(addresses);
        },
        (fault: unknown) => {
          this.#lookupFaults.push(fault as Error);
          this.#settle([]);
        },
      );
    }
    if (lookups.length === 0) this.#next();
  }

  #settle(addresses: readonly IpAddress[]): void {
    this.#pending--;
    this.#waiting.push(...addresses.filter((each) => !this.#known.has(each)));
    for (const each of addresses) this.#known.add(each);
    if (this.#turn === null) this.#next();
  }

  #next(): void {
    this.#turn?.cancel();
    this.#turn = null;
    if (this.#isOver) return;
    const address = this.#waiting.shift();
    if (address !== undefined) this.#try(address);
    else if (this.#pending === 0) {
      const fault = [...this.#faults, ...this.#lookupFaults].find((each) => each !== undefined);
      this.#options.reject(fault ?? new HknockError('no-answer', 'the host has no address'));
    }
  }

  #try(address: IpAddress): void {
    const { attempt, clock, resolve } = this.#options;
    this.#pending++;
    const place = this.#faults.push(undefined) - 1;
    this.#turn = clock.after(ATTEMPT_DELAY_MS, () => {
      this.#next();
    });
    attempt(address).then(
      (winner) => {
        this.#isOver = true;
        this.#turn?.cancel();
        resolve(winner);
      },
      (fault: unknown) => {
        this.#faults[place] = fault as Error;
        this.#pending--;
        this.#next();
      },
    );
  }
}
