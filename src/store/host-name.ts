import { parseAddress } from '../bytes/address.ts';

/**
 * Reads a host name or address and gives its one form: an address as {@link parseAddress} writes it, a name in lower
 * case without a last dot. Null for anything else, also for an address with a zone, which means nothing elsewhere.
 */
export function parseHost(text: string): string | null {
  if (text.includes('%')) return null;
  const address = parseAddress(text);
  if (address !== null) return address;
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  const fits = name.length <= 253 && labels.every(isLabel);
  // a name never ends in a number (RFC 3696, section 2): that is an address with a mistake in it
  return fits && !/^\d+$/.test(labels.at(-1) ?? '') ? name : null;
}

// the underscore is for names that only a local resolver knows
function isLabel(label: string): boolean {
  return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label);
}
