/** The hash functions that fwknop has for its HMAC and its digest, as Node and OpenSSL call them. */
export const hmacTypes = [
  'md5',
  'sha1',
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-512',
] as const;

export type HmacType = (typeof hmacTypes)[number];
