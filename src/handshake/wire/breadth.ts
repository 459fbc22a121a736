import type { Breadth } from '../../units/admission.ts';

/** What has a breadth: none said is the observed address alone. */
interface Broad {
  readonly breadth?: Breadth;
}

const addressAlone: Broad = {};
const itsPrefix: Broad = { breadth: 'prefix' };

/** The byte for a breadth (wire.md, section 2). */
export function encodeBreadth(breadth: Breadth | undefined): number {
  return breadth === undefined ? 0 : 1;
}

/** The breadth of a byte; null for a byte that means none. */
export function decodeBreadth(byte: number | undefined): Broad | null {
  if (byte === 0) return addressAlone;
  return byte === 1 ? itsPrefix : null;
}
