/**
 * Why a datagram was dropped: counted, never sent. In the order of the checks (wire.md, sections 5 and 6;
 * certificate.md, section 4), so the reason tells how far the datagram came.
 */
export const dropReasons = [
  'length',
  'tag',
  'lease',
  'mac',
  'malformed',
  'cookie',
  'source',
  'expired',
  'stale',
  'pending',
  'overload',
  'envelope',
  'certificate',
  'proof',
  'limit',
] as const;

export type DropReason = (typeof dropReasons)[number];
