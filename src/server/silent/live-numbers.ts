import type { OpenNumber } from '../../firewall/nftables/silent-table.ts';
import { markOf } from '../../firewall/nftables/marks.ts';
import { numberOf, SKEW_STEPS, turnSecrets } from '../../silent/numbers.ts';
import type { KeyedOffer } from './offers.ts';

/** A number that is offered now. */
export interface LiveNumber extends OpenNumber {
  readonly offer: KeyedOffer;
  readonly step: number;
  /** 32 bytes, from which comes what it proves at the gate. */
  readonly secret: Uint8Array;
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
  take(offer: KeyedOffer, step: number, slots: number): readonly LiveNumber[] {
    if (step <= (this.#latest.get(offer.id) ?? -1)) return [];
    this.#latest.set(offer.id, step);
    const secretOf = turnSecrets(offer.key, offer);
    const { way, port, peer } = offer;
    const mark = markOf(peer, 0);
    return Array.from({ length: slots }, (_, slot) => {
      const secret = secretOf({ step, slot });
      return { offer, step, secret, way, port, mark, sequence: numberOf(secret) };
    }).filter((number) => this.#add(number));
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
    for (const numbers of this.#steps.values()) if (numbers.has(key)) return false;
    const numbers = this.#steps.get(number.step) ?? new Map<string, LiveNumber>();
    this.#steps.set(number.step, numbers.set(key, number));
    return true;
  }
}

function keyOf({ port, sequence }: LiveNumber): string {
  return `${String(port)} ${String(sequence)}`;
}
