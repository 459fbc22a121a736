import type { Socket } from 'node:net';
import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { createPacket } from '../fwknop/initiator.ts';
import type { Profile } from '../store/profile.ts';
import { createSystemClock } from '../system/clock.ts';
import { createSystemEntropy } from '../system/entropy.ts';
import type { ServiceName } from '../units/names.ts';
import { formatEndpoint, type IpAddress, type ServicePort } from '../units/network.ts';
import { connectWhenOpen } from './connect-when-open.ts';
import { chooseService } from './knock.ts';
import { singleAddress } from './resolve.ts';
import { sendOnce } from './send-once.ts';

export interface SpaOptions {
  /** What to have opened; the profile's only service if not said. */
  readonly service?: ServiceName;
  /** One of the profile's hosts, or an address of one; the first that the profile lists if not said. */
  readonly host?: string;
  /** The IPv4 address to let in; `any` for wherever the packet comes from; if not said that of the profile, or else our own. */
  readonly source?: IpAddress | 'any';
}

/** How to see whether a packet has opened. */
export interface SpaTries {
  /** How long to try to connect after each packet; 2000 ms if not said. */
  readonly timeoutMs?: number;
  /** How many more packets to send when there is no connection; 2 if not said. */
  readonly retries?: number;
}

/** What was asked for. That it was sent says nothing of what became of it. */
export interface SpaSent {
  readonly service: ServiceName;
  readonly server: IpAddress;
  readonly ports: readonly ServicePort[];
  /** Null for wherever the packet comes from. */
  readonly source: IpAddress | null;
}

/**
 * Knocks as fwknop's client does (fwknop.md). Nobody answers; resolves when the packet has been handed to the system.
 * @throws {HknockError} `usage` when the profile has no such service or no keys of fwknop, or there is no IPv4 address to name;
 * `no-answer` for an unknown host
 */
export async function sendSpa(profile: Profile, options: SpaOptions = {}): Promise<SpaSent> {
  const service = chooseService(profile, options.service);
  const { fwknop, peer: user } = profile;
  if (fwknop === undefined) {
    throw new HknockError('usage', 'this profile has no keys of fwknop', {
      hint: 'keep them from a .fwknoprc with hknock import fwknop; see protocol-spec/fwknop.md',
    });
  }
  const server = await singleAddress(profile, options);
  const ports = profile.services.get(service) ?? [];
  const wanted = options.source ?? fwknop.source;
  const local = await sendOnce({ address: server, port: fwknop.port }, ({ address }) => {
    const request = { user, source: sourceOf(wanted ?? address), ports, timeoutMs: null };
    const unixMs = createSystemClock().unixMs();
    return createPacket(fwknop, request, { entropy: createSystemEntropy(), unixMs });
  });
  return { service, server, ports, source: sourceOf(wanted ?? local.address) };
}

/**
 * The same, and gives the connection to the first TCP port that is wanted: nothing else shows that it opened, and it may be the only one.
 * @throws {HknockError} as {@link sendSpa}; `usage` when no TCP port is wanted, `no-answer` when it did not open
 */
export async function connectSpa(
  profile: Profile,
  { timeoutMs = 2000, retries = 2, ...options }: SpaOptions & SpaTries = {},
): Promise<SpaSent & { readonly connection: Socket }> {
  const service = chooseService(profile, options.service);
  const tcp = profile.services.get(service)?.find(({ protocol }) => protocol === 'tcp');
  if (tcp === undefined) {
    throw new HknockError('usage', `'${service}' has no TCP port to connect to`, {
      hint: 'knock without --verify, then use the program itself',
    });
  }
  const { port } = tcp;
  for (let left = retries; ; left--) {
    const sent = await sendSpa(profile, options);
    const { server } = sent;
    const connection = await connectWhenOpen({ server, port, localAddress: null, timeoutMs });
    if (connection !== null) return { ...sent, connection };
    if (left <= 0) throw notOpened(formatEndpoint({ address: server, port }), sent);
  }
}

function notOpened(where: string, { source }: SpaSent): HknockError {
  return new HknockError('no-answer', `${where} did not open for ${source ?? 'this machine'}`, {
    hint: 'the server tells nobody but its log why: it may see another address than the packet names (--source), or the clocks differ by more than two minutes',
  });
}

function sourceOf(source: IpAddress | 'any'): IpAddress | null {
  if (source === 'any') return null;
  if (familyOf(source) === 4) return source;
  throw new HknockError('usage', 'a packet of fwknop can name an IPv4 address only', {
    hint: "name one with --source, or 'any' where the server accepts that",
  });
}
