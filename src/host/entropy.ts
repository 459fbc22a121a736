/** Where unpredictable bytes come from. */
export interface Entropy {
  /** `length` fresh bytes, owned by the caller. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}
