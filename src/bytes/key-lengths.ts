/** Length of a peer's tag in bytes (wire.md, section 2). */
export const PEER_TAG_LENGTH = 8;
/** Length of a peer's secret in bytes. */
export const SECRET_LENGTH = 32;
/** Length of a TOTP secret in bytes: that of the hash, as RFC 6238, section 5.1, wants it. */
export const TOTP_SECRET_LENGTH = 32;
/** Length of a responder's identity in bytes. */
export const RESPONDER_ID_LENGTH = 16;
/** Length of a point on P-256 in bytes (SEC 1, uncompressed): 4, X, Y. */
export const POINT_LENGTH = 65;
/** Longest certificate that a Response has room for, in bytes of DER (certificate.md, section 1). */
export const MAX_SENT_CERTIFICATE_LENGTH = 700;
/** Length of the key of encrypted mapping in bytes: three DES keys, their parity bits included (sequence-encrypted.md). */
export const TRIPLE_DES_KEY_LENGTH = 24;
