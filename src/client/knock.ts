import { isWithin, poolOf } from '../bytes/prefix.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { RefusalReason } from '../errors/refusal-reason.ts';
import { connectDatagramSocket } from '../dgram-ext/connect.ts';
import type { InitiatorContext } from '../handshake/initiator.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Profile } from '../store/profile.ts';
import { createSystemClock } from '../system/clock.ts';
import { createSystemEntropy } from '../system/entropy.ts';
import type { Admission, Breadth } from '../units/admission.ts';
import type { Granted, Refused } from '../units/knock.ts';
import type { GrantId, ServiceName } from '../units/names.ts';
import type { IpAddress, Port, Prefix, ServicePort } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';
import type { CertificateAccess } from './certificate-access.ts';
import { credentialOf } from './credential.ts';
import { type Endpoints, Handshake } from './handshake.ts';
import { Lease } from './lease.ts';
import { race } from './race.ts';
import { interleaveFamilies, type Resolve, resolveHost } from './resolve.ts';

export interface KnockOptions {
  /** What to have opened; the profile's only service if not said. */
  readonly service?: ServiceName;
  /** How narrowly; the server's policy chooses if not said. */
  readonly admission?: Admission;
  /** Asked for: to be let in from the whole prefix of the address at which the server sees us; from that address alone if not said. */
  readonly breadth?: Breadth;
  /** One of the profile's hosts, or an address of one, in place of all that the profile lists. */
  readonly host?: string;
  /**
   * The addresses that we can have on our way to the server, in place of those of the profile: when it sees us elsewhere,
   * somebody may be relaying the knock from an address of his own, and no proof is sent.
   */
  readonly expect?: readonly Prefix[];
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly resolve?: Resolve;
}

/** What every answered knock tells. */
interface Answered extends Endpoints {
  /** What was proved: the peer's secret, or that a certificate is ours. */
  readonly mode: 'challenge-response' | 'certificate';
  readonly service: ServiceName;
  readonly elapsedMs: number;
}

export interface KnockGranted extends Answered {
  readonly granted: true;
  readonly grant: GrantId;
  readonly admission: Admission;
  readonly ports: readonly ServicePort[];
  /** The addresses of ours that are let in; null when it is the observed one alone. */
  readonly prefix: Prefix | null;
  /** With `port` and `gate`: where to connect in place of these; null with the others. */
  readonly admissionPort: Port | null;
  /** By our own clock: when the time to connect is over. */
  readonly expiresAt: UnixMs;
  /** 32 bytes known to both sides only. */
  readonly sessionSecret: Uint8Array;
  /** Renews and closes the grant; null where the way of knocking has no leases. */
  readonly lease: Lease | null;
}

export interface KnockRefused extends Answered {
  readonly granted: false;
  readonly reason: RefusalReason;
  /** With `admission-refused`: what the server would accept. */
  readonly acceptable: readonly Admission[];
}

export type KnockResult = KnockGranted | KnockRefused;

/**
 * Knocks at a server: when the result says granted, the firewall lets us in already.
 * @param access a profile, or a certificate, which needs `service` to be said
 * @throws {HknockError} `usage` for a service that the profile does not have, `no-answer` when nobody answers,
 * `unexpected-address` when we are seen at another address than expected
 */
export async function knock(
  access: Profile | CertificateAccess,
  options: KnockOptions = {},
): Promise<KnockResult> {
  const { clock = createSystemClock(), entropy = createSystemEntropy() } = options;
  const startedAt = clock.monotonicMs();
  const service = chooseService(access, options.service);
  const credential = credentialOf(access);
  const canHave = limitedTo(options.expect ?? access.expect);

  const begin = async (address: IpAddress): Promise<Handshake> => {
    const remote = { address, port: access.port };
    const socket = await connectDatagramSocket(remote);
    const wish = {
      claimed: socket.local[0] ?? null,
      service,
      admission: options.admission ?? null,
      ...(options.breadth && { breadth: options.breadth }),
    };
    const context = { ...credential, wish, entropy, ...canHave };
    return new Handshake({ context, socket, remote, clock });
  };
  // the race ends at the challenge, before any proof is sent: only one address ever gets a grant
  const succeeds = (each: Handshake): Promise<unknown> => each.challenged();
  const handshake = await race({ lookups: lookupsOf(access, options), clock, begin, succeeds });
  try {
    // the server counts from when it has opened, which is later: ours is the safe side
    const askedAt = clock.unixMs();
    const { outcome, observed, sessionSecret } = await handshake.conclude();
    const elapsedMs = clock.monotonicMs() - startedAt;
    const mode = credential.prover === undefined ? 'challenge-response' : 'certificate';
    const answered = { ...handshake.endpoints(observed), mode, service, elapsedMs } as const;
    if (outcome.kind === 'refused') return { ...answered, ...refused(outcome) };
    const prefix = outcome.breadth === undefined ? null : poolOf(observed.address);
    const remote = { address: answered.server, port: access.port };
    const { tag } = credential.keys;
    const lease = new Lease({ remote, tag, session: sessionSecret, clock, entropy });
    return { ...answered, ...granted(outcome, askedAt), prefix, sessionSecret, lease };
  } finally {
    // nobody need wait for the end of a socket that will not be used again
    void handshake.close();
  }
}

function limitedTo(prefixes: readonly Prefix[]): Pick<InitiatorContext, 'canHave'> {
  if (prefixes.length === 0) return {};
  return { canHave: (address) => prefixes.some((each) => isWithin(address, each)) };
}

/**
 * The service that is wanted, or the profile's only one; with a certificate it must be said.
 * @throws {HknockError} `usage` when there is none such, or several
 */
export function chooseService(
  access: Profile | CertificateAccess,
  wanted: ServiceName | undefined,
): ServiceName {
  if ('privateKey' in access) {
    // a certificate names ports, and the server alone knows what it calls them
    if (wanted !== undefined) return wanted;
    throw new HknockError('usage', 'with a certificate the service must be named');
  }
  const names = [...access.services.keys()];
  const [only] = names;
  if (wanted !== undefined && access.services.has(wanted)) return wanted;
  if (wanted === undefined && only !== undefined && names.length === 1) return only;
  const message =
    wanted === undefined ? 'the server has several services' : `this profile has no '${wanted}'`;
  throw new HknockError('usage', message, { hint: `name one of: ${names.join(', ')}` });
}

function lookupsOf(
  { hosts }: Pick<Profile, 'hosts'>,
  { host, resolve = resolveHost }: KnockOptions,
): readonly Promise<readonly IpAddress[]>[] {
  const wanted = host === undefined ? hosts : [host];
  return wanted.map(async (each) => interleaveFamilies(await resolve(each)));
}

function granted(outcome: Granted, askedAt: UnixMs) {
  const { grant, admission, ports, admissionPort, lifetimeMs } = outcome;
  const expiresAt = (askedAt + lifetimeMs) as UnixMs;
  return { granted: true, grant, admission, ports, admissionPort, expiresAt } as const;
}

function refused({ reason, acceptable }: Refused) {
  return { granted: false, reason, acceptable } as const;
}
