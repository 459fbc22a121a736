import type { Profile } from '../store/profile.ts';
import type { Admission } from '../units/admission.ts';
import type { CertificateAccess } from './certificate-access.ts';
import { knock, type KnockOptions, type KnockResult } from './knock.ts';

/**
 * Knocks for the first of these admissions, and when the server does not accept it, once more for the first that it says it accepts.
 * @param wanted what the caller can make a connection with, best first; the server's policy chooses when there are none
 * @throws {HknockError} as `knock`
 */
export async function knockForBest(
  access: Profile | CertificateAccess,
  wanted: readonly Admission[],
  options: Omit<KnockOptions, 'admission'> = {},
): Promise<KnockResult> {
  const [best] = wanted;
  if (best === undefined) return knock(access, options);
  const first = await knock(access, { ...options, admission: best });
  if (first.granted) return first;
  const next = wanted.find((each) => first.acceptable.includes(each));
  if (next === undefined) return first;
  // the one that refused: another of the profile's addresses may be another server
  const second = await knock(access, { ...options, admission: next, host: first.server });
  return { ...second, elapsedMs: first.elapsedMs + second.elapsedMs };
}
