import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Clock } from '../host/clock.ts';
import { sequencePorts, stepAt, stepKey } from '../sequence/schemes/totp-ports.ts';
import type { Profile } from '../store/profile.ts';
import { createSystemClock } from '../system/clock.ts';
import type { ServiceName } from '../units/names.ts';
import type { IpAddress, Port, Protocol } from '../units/network.ts';
import { chooseService } from './knock.ts';
import { singleAddress, type Whither } from './resolve.ts';

export interface SequenceOptions extends Whither {
  /** What to have opened; the profile's only service if not said. */
  readonly service?: ServiceName;
  readonly clock?: Clock;
}

/** Where to knock, within the time step of the moment. */
export interface Sequence {
  readonly service: ServiceName;
  readonly address: IpAddress;
  readonly protocol: Protocol;
  /** In the order in which to knock. */
  readonly ports: readonly Port[];
}

/**
 * The sequence of the present time step (sequence.md, section 4).
 * @throws {HknockError} `usage` when the profile has no such service or no key for sequences, `no-answer` for an unknown host
 */
export async function sequenceNow(
  profile: Profile,
  options: SequenceOptions = {},
): Promise<Sequence> {
  const { clock = createSystemClock() } = options;
  const service = chooseService(profile, options.service);
  const { sequence, responderId } = profile;
  if (sequence === undefined) {
    throw new HknockError('usage', 'this profile has no key for sequences', {
      hint: 'on the server: hknock peer add NAME --totp',
    });
  }
  // a single address: the step opens once, and that should be where the connection goes
  const address = await singleAddress(profile, options);
  const { secret, shape } = sequence;
  const key = stepKey({ secret, responderId }, stepAt(clock.unixMs()));
  return { service, address, protocol: shape.protocol, ports: sequencePorts(key, service, shape) };
}

/** Knocks. Nobody answers; resolves when all packets have been handed to the system. */
export async function sendSequence({ address, protocol, ports }: Sequence): Promise<void> {
  await (protocol === 'tcp' ? sendSyns(address, ports) : sendDatagrams(address, ports));
}

async function sendSyns(address: IpAddress, ports: readonly Port[]): Promise<void> {
  const sockets = ports.map((port) =>
    // refused or unanswered: it has been heard all the same
    connect({ host: address, port }).on('error', () => undefined),
  );
  // in the turn after this one every SYN has left
  await setImmediate();
  for (const socket of sockets) socket.destroy();
}

/** What is sent is not looked at. Debian's knock sends the same. */
const payload = Uint8Array.of(0);

/**
 * Sends a datagram to each port, all from one port of ours.
 * @throws {HknockError} `no-answer` when the system does not send it
 */
export async function sendDatagrams(address: IpAddress, ports: readonly Port[]): Promise<void> {
  const socket = createSocket(familyOf(address) === 4 ? 'udp4' : 'udp6');
  try {
    for (const port of ports) {
      await new Promise<void>((resolve, reject) => {
        socket.send(payload, port, address, (error) => {
          if (error === null) resolve();
          else reject(unsent(address, error));
        });
      });
    }
  } finally {
    socket.close();
  }
}

function unsent(address: IpAddress, cause: Error): HknockError {
  return new HknockError('no-answer', `no packet can be sent to ${address}: ${cause.message}`, {
    cause,
  });
}
