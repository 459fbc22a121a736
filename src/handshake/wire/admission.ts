import { type Admission, admissions } from '../../units/admission.ts';

/** The byte for an admission; 0 leaves the choice to the policy (wire.md, section 2). */
export function encodeAdmission(admission: Admission | null): number {
  return admission === null ? 0 : admissions.indexOf(admission) + 1;
}

/** The admission of a byte, null for 0, undefined for a byte that means none. */
export function decodeAdmission(byte: number | undefined): Admission | null | undefined {
  return byte === 0 ? null : admissions[(byte ?? 0) - 1];
}

/** A bit for each admission, the widest lowest (wire.md, section 4.4, `acceptable`). */
export function encodeAdmissionSet(set: readonly Admission[]): number {
  return set.reduce((bits, each) => bits | (1 << admissions.indexOf(each)), 0);
}

/** The admissions of a set of bits, widest first; null when a bit means none. */
export function decodeAdmissionSet(bits: number): readonly Admission[] | null {
  if (bits >>> admissions.length !== 0) return null;
  return admissions.filter((_, index) => (bits & (1 << index)) !== 0);
}
