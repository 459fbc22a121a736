import { ETHERNET_LENGTH } from './frames.ts';

const IP_CHECKSUM_AT = ETHERNET_LENGTH + 10;
const PROTOCOL_AT = ETHERNET_LENGTH + 9;
const SOURCE_AT = ETHERNET_LENGTH + 12;
const TCP_CHECKSUM_AT = ETHERNET_LENGTH + 20 + 16;
const TCP = 6;

/**
 * Gives a frame from 10.X.y.z the source 10.(X+1).y.z, and mends its checksums: a flood whose sources came round again would
 * cost the kernel's connection tracking nothing.
 */
export function renewSource(frame: Buffer): void {
  const before = frame.readUInt16BE(SOURCE_AT);
  const after = (before & 0xff00) | ((before + 1) & 0xff);
  frame.writeUInt16BE(after, SOURCE_AT);
  mend(frame, IP_CHECKSUM_AT, { before, after });
  if (frame[PROTOCOL_AT] === TCP) mend(frame, TCP_CHECKSUM_AT, { before, after });
}

/** RFC 1624, equation 3. */
function mend(
  frame: Buffer,
  at: number,
  { before, after }: { readonly before: number; readonly after: number },
): void {
  let sum = (~frame.readUInt16BE(at) & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  frame.writeUInt16BE(~sum & 0xffff, at);
}
