import type { Ignored } from './ignored.ts';

/** LINKTYPE_NFLOG of the pcap format: a packet as the kernel's log group hands it on. */
export const LINKTYPE_NFLOG = 239;

/** Family, version, resource: 4 bytes before the first attribute. */
const HEADER_LENGTH = 4;
const ATTRIBUTE_HEADER_LENGTH = 4;
/** NFULA_PAYLOAD */
const PAYLOAD = 9;

/**
 * The IP packet in an NFLOG record (tcpdump.org, LINKTYPE_NFLOG): attributes of 2 bytes length and 2 bytes type in the
 * byte order of the machine that captured, each filled up to a multiple of 4. A payload that was cut is given as it is.
 */
export function payloadOfNflog(
  record: Uint8Array,
  { littleEndian }: { readonly littleEndian: boolean },
): Uint8Array | Ignored {
  if (record.length < HEADER_LENGTH) return 'truncated';
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  let at = HEADER_LENGTH;
  while (at + ATTRIBUTE_HEADER_LENGTH <= record.length) {
    const length = view.getUint16(at, littleEndian);
    // also what keeps this loop going forward
    if (length < ATTRIBUTE_HEADER_LENGTH) return 'malformed';
    if (view.getUint16(at + 2, littleEndian) === PAYLOAD) {
      return record.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length);
    }
    at += (length + 3) & ~3;
  }
  return 'truncated';
}
