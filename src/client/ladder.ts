import { HknockError } from '../errors/hknock-error.ts';
import type { Profile } from '../store/profile.ts';
import { canSetSequence } from '../system/sequenced-socket.ts';
import type { Admission } from '../units/admission.ts';
import type { CertificateAccess } from './certificate-access.ts';
import { knock, type KnockOptions, type KnockResult } from './knock.ts';

export interface LadderOptions extends Omit<KnockOptions, 'admission'> {
  /** Told of an admission that is not asked for, because this machine cannot make the connection. */
  readonly onPassedOver?: (admission: Admission) => void;
}

/**
 * Knocks for the first of these admissions, and when the server does not accept it, once more for the first that it says it accepts.
 * What this machine cannot do is passed over (`bound` needs a privilege).
 * @param wanted what the caller can make a connection with, best first; the server's policy chooses when there are none
 * @throws {HknockError} as `knock`
 */
export async function knockForBest(
  access: Profile | CertificateAccess,
  wanted: readonly Admission[],
  { onPassedOver = () => undefined, ...options }: LadderOptions = {},
): Promise<KnockResult> {
  const able = await possible(wanted);
  for (const each of wanted) if (!able.includes(each)) onPassedOver(each);
  const [best] = able;
  if (best === undefined) return knock(access, options);
  const first = await knock(access, { ...options, admission: best });
  if (first.granted) return first;
  const next = able.find((each) => first.acceptable.includes(each));
  if (next === undefined) return first;
  // the one that refused: another of the profile's addresses may be another server
  const second = await knock(access, { ...options, admission: next, host: first.server });
  return { ...second, elapsedMs: first.elapsedMs + second.elapsedMs };
}

/** @throws {HknockError} `host` when this machine can make a connection for none of them */
async function possible(wanted: readonly Admission[]): Promise<readonly Admission[]> {
  if (!wanted.includes('bound') || (await canSetSequence())) return wanted;
  const able = wanted.filter((each) => each !== 'bound');
  if (able.length > 0) return able;
  throw new HknockError('host', "this machine cannot connect as admission 'bound' wants it", {
    hint: 'it needs Linux and CAP_NET_ADMIN; name another admission after it, such as bound,port',
  });
}
