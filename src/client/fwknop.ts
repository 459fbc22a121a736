import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { createPacket } from '../fwknop/initiator.ts';
import type { Profile } from '../store/profile.ts';
import { createSystemClock } from '../system/clock.ts';
import { createSystemEntropy } from '../system/entropy.ts';
import type { ServiceName } from '../units/names.ts';
import type { IpAddress, ServicePort } from '../units/network.ts';
import { chooseService } from './knock.ts';
import { singleAddress } from './resolve.ts';
import { sendOnce } from './send-once.ts';

export interface SpaOptions {
  /** What to have opened; the profile's only service if not said. */
  readonly service?: ServiceName;
  /** One of the profile's hosts, or an address of one; the first that the profile lists if not said. */
  readonly host?: string;
  /** The IPv4 address to let in; `any` for wherever the packet comes from; the one that we have here if not said. */
  readonly source?: IpAddress | 'any';
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
  const { fwknop } = profile;
  if (fwknop === undefined) {
    throw new HknockError('usage', 'this profile has no keys of fwknop', {
      hint: "add them to the profile's file as 'fwknop' and import it again; see protocol-spec/fwknop.md",
    });
  }
  const server = await singleAddress(profile, options);
  const ports = profile.services.get(service) ?? [];
  const remote = { address: server, port: fwknop.port };
  const local = await sendOnce(remote, ({ address }) => {
    const source = sourceOf(options.source ?? address);
    const unixMs = createSystemClock().unixMs();
    const request = { user: 'hknock', source, ports, timeoutMs: null };
    return createPacket(fwknop, request, { entropy: createSystemEntropy(), unixMs });
  });
  return { service, server, ports, source: sourceOf(options.source ?? local.address) };
}

function sourceOf(source: IpAddress | 'any' | undefined): IpAddress | null {
  if (source === 'any') return null;
  if (source !== undefined && familyOf(source) === 4) return source;
  throw new HknockError('usage', 'a packet of fwknop can name an IPv4 address only', {
    hint: "name one with --source, or 'any' where the server accepts that",
  });
}
