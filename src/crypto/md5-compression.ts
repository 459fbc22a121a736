/** Shifts of the four rounds (RFC 1321, section 3.4). */
const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** The table T of RFC 1321. */
const SINES = Uint32Array.from({ length: 64 }, (_, i) => Math.abs(Math.sin(i + 1)) * 2 ** 32);

/**
 * MD5's compression alone, without padding, feed-forward included: what TCP Stealth uses in place of a hash. Nothing else should.
 * @param state 16 bytes
 * @param block 64 bytes
 * @returns the four words of the new state
 */
export function md5Compression(state: Uint8Array, block: Uint8Array): Uint32Array {
  const [before, words] = [littleEndianWords(state), littleEndianWords(block)];
  let [a = 0, b = 0, c = 0, d = 0] = before;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const [mixed, from] = mix(round, i, [b, c, d]);
    const sum = (a + mixed + (words[from] ?? 0) + (SINES[i] ?? 0)) | 0;
    const by = SHIFTS[round]?.[i & 3] ?? 0;
    [a, d, c, b] = [d, c, b, (b + ((sum << by) | (sum >>> (32 - by)))) | 0];
  }
  return Uint32Array.of(a, b, c, d).map((word, at) => word + (before[at] ?? 0));
}

/** The function of a round, and which word of the block is next in it. */
function mix(
  round: number,
  i: number,
  [b, c, d]: readonly [number, number, number],
): readonly [number, number] {
  switch (round) {
    case 0:
      return [(b & c) | (~b & d), i];
    case 1:
      return [(d & b) | (~d & c), (5 * i + 1) & 15];
    case 2:
      return [b ^ c ^ d, (3 * i + 5) & 15];
    default:
      return [c ^ (b | ~d), (7 * i) & 15];
  }
}

function littleEndianWords(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(4 * at, true));
}
