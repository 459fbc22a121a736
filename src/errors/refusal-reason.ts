/**
 * Why a proven peer was refused. Sent only inside a sealed Grant message, so only the peer learns it.
 * The place in this list is the number on the wire, counted from 1 (wire.md, section 4.4).
 */
export const refusalReasons = [
  'service-refused',
  'admission-refused',
  'limit-reached',
  'firewall-failed',
  'busy',
  'prefix-refused',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];
