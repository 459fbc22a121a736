/** What strangers, eavesdroppers and insiders may send as fast as they can, and what each is called in the results. */
export const kinds = {
  random: 'random datagrams',
  shaped: 'right size and alphabet',
  tagged: 'valid tag, then garbage',
  requests: 'recorded Requests',
  responses: 'recorded Responses',
  spoofed: 'valid Requests, forged sources',
  certificates: 'good cookies, bad certificates',
  syn: 'SYN at the protected port',
} as const;

export type Kind = keyof typeof kinds;

/** @throws {RangeError} when there is no such kind */
export function parseKind(text: string): Kind {
  if (Object.hasOwn(kinds, text)) return text as Kind;
  throw new RangeError(`'${text}' is none of ${Object.keys(kinds).join(', ')}`);
}
