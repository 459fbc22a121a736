/** Why a captured packet is none that can knock: counted, and nothing else is done about it. */
export const ignoredReasons = [
  /** a header runs past what was captured */
  'truncated',
  /** fields that contradict each other, or that no host may send */
  'malformed',
  /** a piece of a packet: no knock is so long that it would have to be cut */
  'fragment',
  /** more extension headers than any honest packet has */
  'extensions',
  /** sound, but no SYN, UDP datagram or echo request */
  'other',
] as const;

export type Ignored = (typeof ignoredReasons)[number];
