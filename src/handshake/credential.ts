/** What a peer and one responder share. The bytes of `secret` are never written anywhere but into key derivation. */
export interface Credential {
  /** 8 bytes, public: the first of every datagram to the responder. */
  readonly tag: Uint8Array;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** 16 bytes that name the responder (P10). */
  readonly responderId: Uint8Array;
}
