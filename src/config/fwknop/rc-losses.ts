const forwarding = 'no forwarding is asked for';

const web = 'no web site is asked for the address to let in: tell it with --source';

const losses: Readonly<Record<string, string>> = {
  FW_TIMEOUT: 'no time is asked for: the one of the server holds',
  NAT_ACCESS: forwarding,
  NAT_LOCAL: forwarding,
  NAT_PORT: forwarding,
  NAT_RAND_PORT: forwarding,
  RESOLVE_IP_HTTP: web,
  RESOLVE_IP_HTTPS: web,
  RESOLVE_URL: web,
  SPA_SERVER_PROTO: 'packets go by UDP',
  RAND_PORT: 'packets go to the one port',
  DIGEST_TYPE: 'the digest is SHA-256',
  TIME_OFFSET: 'packets have the time of this machine',
};

/** Nothing is lost with them. */
const idle = new Set(['VERBOSE', 'NO_SAVE_ARGS', 'SERVER_RESOLVE_IPV4']);

/** What is lost with an entry of a .fwknoprc that is not carried over; null when it asks for nothing. */
export function rcLossOf(key: string, value: string): string | null {
  const asksForNothing = ['N', 'UDP', 'SHA256'].includes(value.toUpperCase());
  if (idle.has(key) || asksForNothing) return null;
  return losses[key] ?? `'${key}' has no counterpart`;
}
