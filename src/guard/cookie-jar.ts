import { equalConstantTime } from '../crypto/mac.ts';
import { RotatingSecret } from '../crypto/rotating-secret.ts';
import type { Entropy } from '../host/entropy.ts';
import type { MonotonicMs } from '../units/time.ts';

export const COOKIE_LENGTH = 16;

/** What a cookie is bound to. */
export interface CookieInput {
  readonly tag: Uint8Array;
  /** The statement `S` of wire.md, section 3.2, whole or in parts. */
  readonly statement: readonly Uint8Array[];
  readonly issuedAt: MonotonicMs;
}

/**
 * Makes and knows again the MACs that let the responder forget what it sent (P2).
 * @see wire.md, section 3.2
 */
export class CookieJar {
  readonly #secret: RotatingSecret;

  /** @param root shared by those who must know each other's cookies; null when there is one alone */
  constructor(entropy: Entropy, root: Uint8Array | null = null) {
    this.#secret = new RotatingSecret(entropy, root);
  }

  /** 16 bytes for something issued now. */
  create({ tag, statement, issuedAt }: CookieInput): Uint8Array {
    const cookie = this.#cookie({ tag, statement, issuedAt }, issuedAt);
    if (cookie === null) throw new RangeError('the current epoch always has a secret');
    return cookie;
  }

  /** Whether we made this cookie for this input, in this epoch or the last. */
  verify(cookie: Uint8Array, input: CookieInput, now: MonotonicMs): boolean {
    const expected = this.#cookie(input, now);
    return expected !== null && equalConstantTime(expected, cookie);
  }

  #cookie({ tag, statement, issuedAt }: CookieInput, now: MonotonicMs): Uint8Array | null {
    return (
      this.#secret
        .at(issuedAt, now)
        ?.of(tag, ...statement)
        .subarray(0, COOKIE_LENGTH) ?? null
    );
  }
}
