/**
 * Why a datagram opened nothing: counted and logged, never sent. In the order of the checks (sknock.md, section 5),
 * so the reason tells how far the datagram came.
 */
export const sknockDropReasons = [
  'length',
  'id',
  'version',
  'overload',
  'point',
  'padding',
  'malformed',
  'timestamp',
  'address',
  'replay',
  'certificate-malformed',
  'certificate-untrusted',
  'certificate-wrong-key',
  'certificate-wrong-usage',
  'certificate-no-authorisation',
  'certificate-bad-authorisation',
  'certificate-old-authorisation',
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-revoked',
  'crl-stale',
  'port',
  'signature',
  'service',
  'busy',
  'limit',
] as const;

export type SknockDropReason = (typeof sknockDropReasons)[number];
