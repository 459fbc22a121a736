/** Length of a peer's tag in bytes (wire.md, section 2). */
export const PEER_TAG_LENGTH = 8;
/** Length of a peer's secret in bytes. */
export const SECRET_LENGTH = 32;
/** Length of a responder's identity in bytes. */
export const RESPONDER_ID_LENGTH = 16;
