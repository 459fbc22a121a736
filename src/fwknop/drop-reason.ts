/** Why an SPA packet was dropped: counted, never told. In the order of the checks (fwknop.md, section 5). */
export const spaDropReasons = [
  'length',
  'encoding',
  'replay',
  'hmac',
  'cipher',
  'malformed',
  'digest',
  'untimely',
  'command',
  'message',
  'nat-access',
  'source',
  'service',
  'limit',
  'full',
] as const;

export type SpaDropReason = (typeof spaDropReasons)[number];
