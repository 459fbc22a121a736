import { HknockError } from '../../errors/hknock-error.ts';

/** Why nft refused a line. */
type FaultKind =
  /** a key is in the map with other data */
  | 'exists'
  /** the table, or what should be in it, is not there */
  | 'missing'
  /** a map has no room */
  | 'full'
  /** the kernel cannot add to a map just now, and wants to be asked again */
  | 'busy'
  /** no privilege */
  | 'denied'
  | 'other';

export interface Fault {
  readonly kind: FaultKind;
  /** What nft said, one line. */
  readonly message: string;
}

// the C library's texts for EPERM, ENOENT, ENFILE, EEXIST, EBUSY: the locale of the child is C
const kinds: readonly (readonly [text: string, kind: FaultKind])[] = [
  ['Operation not permitted', 'denied'],
  ['No such file or directory', 'missing'],
  ['Too many open files in system', 'full'],
  ['File exists', 'exists'],
  ['Device or resource busy', 'busy'],
];

/** Reads what nft wrote to standard error about one line; null when it took the line. */
export function parseFault(said: string): Fault | null {
  const message = said.split('\n').find((line) => line.includes('Error:'));
  if (message === undefined) return null;
  const kind = kinds.find(([text]) => said.includes(text))?.[1] ?? 'other';
  return { kind, message: message.trim() };
}

/** Nothing can be changed without this privilege. */
export function denied(cause: unknown): HknockError {
  return new HknockError('host', 'no privilege to change the firewall', {
    hint: "run as root or with CAP_NET_ADMIN, or use the 'userspace' firewall, which needs none",
    cause,
  });
}
