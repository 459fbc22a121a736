import { ascii, isZero } from '../../bytes/bytes.ts';
import { isServiceName, type ServiceName } from '../../units/names.ts';

/** Length of a service name on the wire: the name, then zero bytes (wire.md, section 2). */
export const SERVICE_NAME_LENGTH = 32;

/** Writes the name at `offset`, into bytes that are still zero. */
export function encodeServiceName(name: ServiceName, into: Uint8Array, offset: number): void {
  into.set(ascii(name), offset);
}

/** Reads the name at `offset`; null when it is not one, or when anything but zero follows it. */
export function decodeServiceName(bytes: Uint8Array, offset: number): ServiceName | null {
  const end = offset + SERVICE_NAME_LENGTH;
  let at = offset;
  let name = '';
  while (at < end && bytes[at] !== 0) name += String.fromCharCode(bytes[at++] ?? 0);
  return isServiceName(name) && isZero(bytes, at, end) ? name : null;
}
