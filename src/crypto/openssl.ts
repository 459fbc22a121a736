import { createRequire } from 'node:module';
import type koffi from 'koffi';

/** A key, a group or a point in OpenSSL's memory. */
type Pointer = object;

/** Calls of the OpenSSL that Node itself is made with, for what Node's own take much longer for; those that fail give 0. */
export interface Openssl {
  readonly newKey: (curve: number) => Pointer | null;
  readonly setScalar: (key: Pointer, bytes: Uint8Array, length: number) => number;
  readonly setPoint: (...args: SetPoint) => number;
  readonly groupOf: (key: Pointer) => Pointer;
  readonly newPoint: (group: Pointer) => Pointer | null;
  readonly readPoint: (...args: ReadPoint) => number;
  readonly agree: (...args: Agree) => number;
  readonly verify: (...args: Verify) => number;
  /** What is left by a call that failed the next call of Node's would take for its own. */
  readonly clearErrors: () => void;
}

type SetPoint = [key: Pointer, bytes: Uint8Array, length: number, context: null];
type ReadPoint = [group: Pointer, into: Pointer, bytes: Uint8Array, length: number, context: null];
type Agree = [into: Uint8Array, length: number, point: Pointer, key: Pointer, kdf: null];
type Verify = [type: 0, digest: Uint8Array, n: number, der: Uint8Array, n: number, key: Pointer];

let loaded: Openssl | null | undefined;

/** Loaded when it is first needed; null where there is no koffi for the system, or Node does not let its OpenSSL be called. */
export function loadOpenssl(): Openssl | null {
  return (loaded ??= load());
}

function load(): Openssl | null {
  try {
    const require = createRequire(import.meta.url);
    const self = (require('koffi') as typeof koffi).load(null);
    return {
      newKey: self.func('void *EC_KEY_new_by_curve_name(int nid)'),
      setScalar: self.func('int EC_KEY_oct2priv(void *key, const void *bytes, size_t length)'),
      setPoint: self.func(
        'int EC_KEY_oct2key(void *key, const void *bytes, size_t length, void *context)',
      ),
      groupOf: self.func('void *EC_KEY_get0_group(void *key)'),
      newPoint: self.func('void *EC_POINT_new(void *group)'),
      readPoint: self.func(
        'int EC_POINT_oct2point(void *group, void *point, const void *bytes, size_t length, void *context)',
      ),
      agree: self.func(
        'int ECDH_compute_key(void *into, size_t length, void *point, void *key, void *kdf)',
      ),
      verify: self.func(
        'int ECDSA_verify(int type, const void *digest, int n, const void *der, int m, void *key)',
      ),
      clearErrors: self.func('void ERR_clear_error()'),
    };
  } catch {
    return null;
  }
}
