import { lookup } from 'node:dns/promises';
import { familyOf, parseAddress } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Profile } from '../store/profile.ts';
import type { IpAddress } from '../units/network.ts';

/** Gives the addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly IpAddress[]>;

/**
 * The addresses of a host name or address, in the system's order of preference (RFC 6724).
 * @throws {HknockError} `no-answer` when the name is not known
 */
export async function resolveHost(host: string): Promise<readonly IpAddress[]> {
  const literal = parseAddress(host);
  if (literal !== null) return [literal];
  try {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return found.map(({ address }) => parseAddress(address)).filter((each) => each !== null);
  } catch (cause) {
    throw new HknockError('no-answer', `the address of '${host}' could not be found`, {
      hint: 'check the spelling and the name server',
      cause,
    });
  }
}

export interface Whither {
  /** One of the profile's hosts, or an address of one; the first that the profile lists if not said. */
  readonly host?: string;
  readonly resolve?: Resolve;
}

/**
 * The one address to go to where several cannot be tried: that which the system prefers.
 * @throws {HknockError} `no-answer` when the host has none
 */
export function singleAddress(
  profile: Profile,
  { host = profile.hosts[0] ?? '', resolve }: Whither,
): Promise<IpAddress> {
  return firstAddress(host, resolve);
}

/** The address of a host that the system prefers. @throws {HknockError} `no-answer` when it has none */
export async function firstAddress(
  host: string,
  resolve: Resolve = resolveHost,
): Promise<IpAddress> {
  const [address] = await resolve(host);
  if (address === undefined) throw new HknockError('no-answer', `'${host}' has no address`);
  return address;
}

/** Families in turn, beginning with that of the first, each in its order (RFC 8305, section 4). */
export function interleaveFamilies(addresses: readonly IpAddress[]): readonly IpAddress[] {
  const [first] = addresses;
  if (first === undefined) return [];
  const preferred = addresses.filter((each) => familyOf(each) === familyOf(first));
  const others = addresses.filter((each) => familyOf(each) !== familyOf(first));
  const longest = Math.max(preferred.length, others.length);
  return Array.from({ length: longest }, (_, i) => [preferred[i], others[i]])
    .flat()
    .filter((each) => each !== undefined);
}
