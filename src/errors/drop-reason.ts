/**
 * Why a datagram was dropped: counted, never sent. In the order of the checks (wire.md, sections 5 and 6),
 * so the reason tells how far the datagram came.
 */
export const dropReasons = [
  'length',
  'tag',
  'mac',
  'malformed',
  'cookie',
  'source',
  'expired',
  'pending',
  'proof',
] as const;

export type DropReason = (typeof dropReasons)[number];
