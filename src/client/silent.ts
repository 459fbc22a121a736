import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FramedStream } from '../admission/gate/framed-stream.ts';
import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import type { Clock } from '../host/clock.ts';
import { numberOf, silentKey, silentStepAt, turnSecrets } from '../silent/numbers.ts';
import { timelessNumber } from '../silent/tcp-stealth.ts';
import type { Profile } from '../store/profile.ts';
import { createSystemClock } from '../system/clock.ts';
import { canSetSequence, connectSequenced } from '../system/sequenced-socket.ts';
import type { ServiceName } from '../units/names.ts';
import {
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  type ServicePort,
} from '../units/network.ts';
import { beginTls, enterGate, requireProof } from './gate.ts';
import { chooseService } from './knock.ts';
import { singleAddress, type Whither } from './resolve.ts';

/** As many as a server has unless it says otherwise. */
const DEFAULT_SLOTS = 4;

/** A SYN and the first repetition (RFC 6298: after 1 s), and time for its answer. */
const TRY_MS = 1500;

/** The last try, after which there is no other. */
const LAST_TRY_MS = 5000;

/** Whether this machine's SYNs have a timestamp, which their number covers. */
const TIMESTAMPS = '/proc/sys/net/ipv4/tcp_timestamps';

/** How long the gate may take to prove itself. */
const PROOF_MS = 10_000;

export interface SilentOptions extends Whither {
  /** What to connect to; the profile's only service if not said. */
  readonly service?: ServiceName;
  /** Whether the server leads the connection through its gate, as its policy says; to the service itself if not said. */
  readonly gate?: boolean;
  /** Numbers that the server takes of a peer in a time step; 4 if not said. */
  readonly slots?: number;
  /** The slot to begin with, for who connects often and counts on: one that was used costs 1.5 s. Drawn at random if not said. */
  readonly firstSlot?: number;
  /** Whether to come with the number of TCP Stealth, which the server has to take too. */
  readonly tcpStealth?: boolean;
  readonly clock?: Clock;
}

/**
 * Connects to a service whose port opens for the number of the SYN (silent.md). Nothing is sent before.
 * @throws {HknockError} `usage` when the profile has no such service, no secret, or no TCP port of it; `host` when this machine cannot set
 * the number, `no-answer` when the port stays shut, `connection` when it is not to be had otherwise
 */
export async function connectSilently(
  profile: Profile,
  options: SilentOptions = {},
): Promise<Duplex> {
  const service = chooseService(profile, options.service);
  const port = wantedPort(profile, service);
  if (!(await canSetSequence())) throw unable();
  const remote = { address: await singleAddress(profile, options), port: port.port };
  if (options.tcpStealth === true) return connectTimeless(profile, remote);
  const { socket, secret } = await firstToOpen(profile, { service, remote }, options);
  return options.gate === true ? passGate(socket, secret, port) : socket;
}

function wantedPort({ services, certificate }: Profile, service: ServiceName): ServicePort {
  const port = services.get(service)?.find(({ protocol }) => protocol === 'tcp');
  if (certificate !== undefined) {
    throw new HknockError(
      'usage',
      'silent mode needs a secret, and this profile has a certificate',
    );
  }
  if (port !== undefined) return port;
  throw new HknockError('usage', `service '${service}' has no TCP port to connect to`);
}

interface Opened {
  readonly socket: Socket;
  readonly secret: Uint8Array;
}

/** Tries one slot after the other: another client with this profile may have used some. */
async function firstToOpen(
  { secret, responderId }: Profile,
  { service, remote }: { readonly service: ServiceName; readonly remote: Endpoint },
  {
    slots = DEFAULT_SLOTS,
    firstSlot = randomInt(slots),
    clock = createSystemClock(),
  }: SilentOptions,
): Promise<Opened> {
  const secretOf = turnSecrets(silentKey({ secret, responderId }), {
    service,
    destination: remote,
  });
  for (let at = 0; at < slots; at++) {
    const step = silentStepAt(clock.unixMs());
    const turnSecret = secretOf({ step, slot: (firstSlot + at) % slots });
    const timeoutMs = at === slots - 1 ? LAST_TRY_MS : TRY_MS;
    const socket = await tryNumber(remote, numberOf(turnSecret), timeoutMs);
    if (socket !== null) return { socket, secret: turnSecret };
  }
  throw shut(
    remote,
    "perhaps a NAT on the way rewrites sequence numbers, which silent mode does not survive; or the clock here is wrong, this half minute's numbers are used up, or somebody tries too many: knock without --mode silent",
  );
}

function shut(remote: Endpoint, hint: string): HknockError {
  return new HknockError('no-answer', `${formatEndpoint(remote)} did not open`, { hint });
}

/** With the one number of TCP Stealth, which is for SYNs without a timestamp. */
async function connectTimeless(
  { secret, responderId }: Profile,
  remote: Endpoint,
): Promise<Socket> {
  if ((await readFile(TIMESTAMPS, 'latin1')).trim() !== '0') {
    throw new HknockError('host', "TCP Stealth's number is for packets without timestamps", {
      hint: 'sysctl -w net.ipv4.tcp_timestamps=0',
    });
  }
  const number = timelessNumber(silentKey({ secret, responderId }), remote);
  const socket = await tryNumber(remote, number, LAST_TRY_MS);
  if (socket !== null) return socket;
  throw shut(remote, 'the server may not take it, or somebody has used it in this half minute');
}

/** Null when nobody answers. */
async function tryNumber(
  remote: Endpoint,
  sequence: number,
  timeoutMs: number,
): Promise<Socket | null> {
  const any = (familyOf(remote.address) === 4 ? '0.0.0.0' : '::') as IpAddress;
  try {
    return await connectSequenced({
      remote,
      local: { address: any, port: 0 },
      sequence,
      timeoutMs,
    });
  } catch (cause) {
    if (cause instanceof HknockError) throw cause;
    if (systemCode(cause) === 'ETIMEDOUT') return null;
    const message = `the connection to ${formatEndpoint(remote)} failed: ${String(cause)}`;
    throw new HknockError('connection', message, { cause });
  }
}

async function passGate(
  socket: Socket,
  secret: Uint8Array,
  service: ServicePort,
): Promise<FramedStream> {
  const tls = beginTls({ socket }, secret);
  try {
    await once(tls, 'secureConnect', { signal: AbortSignal.timeout(PROOF_MS) });
  } catch (cause) {
    tls.destroy();
    throw new HknockError('connection', 'connected, but no gate proved itself', {
      hint: 'the server may lead this service past the gate: leave --admission gate out',
      cause,
    });
  }
  requireProof(tls);
  enterGate(tls, service);
  return new FramedStream(tls);
}

function unable(): HknockError {
  return new HknockError('host', 'this machine cannot connect as silent mode wants it', {
    hint: 'it needs Linux and CAP_NET_ADMIN; without them knock first: leave --mode silent out',
  });
}
