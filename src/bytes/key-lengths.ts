/** Length of a peer's tag in bytes (wire.md, section 2). */
export const PEER_TAG_LENGTH = 8;
/** Length of a peer's secret in bytes. */
export const SECRET_LENGTH = 32;
/** Length of a TOTP secret in bytes: that of the hash, as RFC 6238, section 5.1, wants it. */
export const TOTP_SECRET_LENGTH = 32;
/** Length of a responder's identity in bytes. */
export const RESPONDER_ID_LENGTH = 16;
/** Length of the key of encrypted mapping in bytes: three DES keys, their parity bits included (sequence-encrypted.md). */
export const TRIPLE_DES_KEY_LENGTH = 24;
