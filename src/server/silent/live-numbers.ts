import type { OpenNumber } from '../../firewall/nftables/silent-table.ts';
import { markOf } from '../../firewall/nftables/marks.ts';
import { numberOf, SKEW_STEPS, turnSecrets } from '../../silent/numbers.ts';
import type { Kinds } from '../../silent/odds.ts';
import { timelessNumber } from '../../silent/tcp-stealth.ts';
import type { KeyedOffer } from './offers.ts';

/** A number that is offered now. */
export interface LiveNumber extends OpenNumber {
  readonly offer: KeyedOffer;
  readonly step: number;
  /** 32 bytes, from which comes what it proves at the gate. */
  readonly secret: Uint8Array;
  /** Whether it is the same in every step, as that of TCP Stealth is. */
  readonly comesAgain: boolean;
}

/** What has been offered lately. Knows no clock: it is told the step. */
export class LiveNumbers {
  /** By step, then by port and number. */
  readonly #steps = new Map<number, Map<string, LiveNumber>>();
  /** The latest step of each offer, also when it has been withdrawn: none of its numbers is offered twice. */
  readonly #latest = new Map<string, number>();

  /** How many are offered, used ones included. */
  get size(): number {
    return [...this.#steps.values()].reduce((sum, numbers) => sum + numbers.size, 0);
  }

  /** All that are offered. */
  *[Symbol.iterator](): Iterator<LiveNumber> {
    for (const numbers of this.#steps.values()) yield* numbers.values();
  }

  /** The numbers of one offer in one step, unless they have been offered; without those that are another's already. */
  take(offer: KeyedOffer, step: number, kinds: Kinds): readonly LiveNumber[] {
    if (step <= (this.#latest.get(offer.id) ?? -1)) return [];
    this.#latest.set(offer.id, step);
    return numbersOf(offer, step, kinds).filter((number) => this.#add(number));
  }

  /** Withdraws what is not offered any more, and gives it. */
  keepOnly(offers: ReadonlyMap<string, KeyedOffer>): readonly LiveNumber[] {
    const withdrawn = [...this].filter(({ offer }) => offers.get(offer.id)?.way !== offer.way);
    for (const each of withdrawn) this.#steps.get(each.step)?.delete(keyOf(each));
    return withdrawn;
  }

  /** Forgets what the kernel has let run out by this step, and gives it. */
  forget(step: number): readonly LiveNumber[] {
    const past = [...this.#steps.keys()].filter((each) => each < step - SKEW_STEPS);
    const forgotten = past.flatMap((each) => [...(this.#steps.get(each)?.values() ?? [])]);
    for (const each of past) this.#steps.delete(each);
    for (const [id, latest] of this.#latest) {
      if (latest < step - SKEW_STEPS) this.#latest.delete(id);
    }
    return forgotten;
  }

  /** Forgets all: what follows must be of later steps. */
  clear(): void {
    this.#steps.clear();
    this.#latest.clear();
  }

  #add(number: LiveNumber): boolean {
    const key = keyOf(number);
    for (const numbers of this.#steps.values()) {
      const other = numbers.get(key);
      if (other === undefined) continue;
      if (!other.comesAgain || other.offer.id !== number.offer.id) return false;
      numbers.delete(key);
    }
    const numbers = this.#steps.get(number.step) ?? new Map<string, LiveNumber>();
    this.#steps.set(number.step, numbers.set(key, number));
    return true;
  }
}

function numbersOf(
  offer: KeyedOffer,
  step: number,
  { slots, hasTcpStealth }: Kinds,
): readonly LiveNumber[] {
  const { way, port, peer, key, destination } = offer;
  const common = { offer, step, way, port, mark: markOf(peer, 0) };
  const secretOf = turnSecrets(key, offer);
  const numbers = Array.from({ length: slots }, (_, slot) => {
    const secret = secretOf({ step, slot });
    return { ...common, secret, sequence: numberOf(secret), comesAgain: false };
  });
  // the gate takes a key from a secret of the step
  if (!hasTcpStealth || way === 'gate') return numbers;
  const sequence = timelessNumber(key, destination);
  return [...numbers, { ...common, secret: new Uint8Array(), sequence, comesAgain: true }];
}

function keyOf({ port, sequence }: LiveNumber): string {
  return `${String(port)} ${String(sequence)}`;
}
