import type { Call } from '../../sequence/scheme.ts';
import type { IpAddress } from '../../units/network.ts';
import { addresses } from '../network.ts';
import type { Defence, World } from '../scheme.ts';
import { byHandshake } from '../schemes/by-handshake.ts';
import { LONGEST_REQUEST } from '../schemes/certificates.ts';
import { enterAfter } from '../schemes/enter-after.ts';
import { RESPONSE_LENGTH } from '../schemes/handshake.ts';
import { byConnecting } from '../schemes/silent.ts';
import { OFFSETS_MS } from '../schemes/totp.ts';
import { type Copy, portOf } from './copy.ts';
import type { Way } from './ways.ts';

type Unguessed = Omit<Defence, 'guessing'>;

/** The client of a copy, as the defence that the attackers meet. */
export function clientOf(copy: Copy, world: World): Unguessed {
  switch (copy.way.mode) {
    case 'handshake':
    case 'certificate':
      return proving(copy, world);
    case 'silent':
      return silently(copy, world);
    default:
      return untold(copy, world);
  }
}

function proving(copy: Copy, world: World): Unguessed {
  const { way, config } = copy;
  const { admission, service } = way;
  const knockPort = portOf(config.listen);
  const host = { host: addresses.server, port: knockPort };
  const how = { admission, service };
  const isLong = ({ length }: Uint8Array): boolean =>
    way.mode === 'handshake' ? length === RESPONSE_LENGTH : length > LONGEST_REQUEST;
  return byHandshake({
    guessing: null,
    knock: (connectWithinMs) =>
      way.mode === 'handshake'
        ? world.client.ask('byProfile', { file: copy.profile, ...how, connectWithinMs })
        : world.client.ask('byCertificate', { ...copy.identity, ...host, ...how, connectWithinMs }),
    ports: doorsOf(copy),
    isProof: ({ destinationPort, payload }) => destinationPort === knockPort && isLong(payload),
    ...endingsOf(copy),
  });
}

function silently(copy: Copy, world: World): Unguessed {
  const { way, config, profile: file } = copy;
  const { slots } = config.silent;
  const how = { file, service: way.service, gate: way.admission === 'gate', slots };
  let tries = 0;
  const connect = (): Promise<number> => {
    const offsetMs = OFFSETS_MS[tries++ % OFFSETS_MS.length] ?? 0;
    return world.client.ask('silently', { ...how, offsetMs });
  };
  return {
    ports: doorsOf(copy),
    ...byConnecting(world, connect),
    ...endingsOf(copy),
  };
}

/** The modes in which nobody answers: the client knocks, and tries. */
function untold(copy: Copy, world: World): Unguessed {
  let knocks = 0;
  const knock = (): Promise<void> => send(copy, world, knocks++);
  return {
    ports: doorsOf(copy),
    knocksInOne: ['fwknop', 'sknock'].includes(copy.way.mode),
    knock,
    enter: enterAfter(world, knock, copy.way.port.port),
    ...endingsOf(copy),
  };
}

/** The so-manieth knock, counted from 0. */
async function send(copy: Copy, { client, clientAddress }: World, at: number): Promise<void> {
  const { way, config, profile: file } = copy;
  const { service, port } = way;
  const host = addresses.server;
  switch (way.mode) {
    case 'fwknop': {
      const source = config.fwknop.acceptAnySource ? 'any' : clientAddress;
      await client.ask('bySpa', { file, service, source });
      return;
    }
    case 'sknock': {
      const knockPort = portOf(config.sknock?.listen ?? []);
      await client.ask('bySknock', { ...copy.identity, host, port: port.port, knockPort });
      return;
    }
    case 'totp':
      await client.ask('byTotp', { file, service, offsetMs: OFFSETS_MS[at] ?? 0 });
      return;
    default: {
      const address = clientAddress as IpAddress;
      const call = callOf(way.kind, { port, address, number: at + 1 });
      await client.ask('byScheme', { file: copy.scheme, address: host, call });
    }
  }
}

/** What a client says by a scheme of some kind: as much as it has a place for. */
function callOf(kind: Way['kind'], { port, address, number }: Required<Told>): Call {
  switch (kind) {
    case 'dynamic':
      return { action: 'open', port };
    case 'encrypted':
    case 'fwknop-encrypted':
      return { action: 'open', port, address };
    case 'one-time':
      return { action: 'open', number };
    default:
      return { action: 'open' };
  }
}

type Told = Pick<Call, 'port' | 'address' | 'number'>;

function endingsOf(copy: Copy): Pick<Defence, 'revoke' | 'endGrants'> {
  return { revoke: () => copy.revokeClient(), endGrants: () => copy.endGrants() };
}

/** Where connections go that want to the service. */
function doorsOf({ way, config }: Copy): readonly number[] {
  const [gate] = config.gate.listen;
  const { port } = way.port;
  return way.admission === 'gate' && gate !== undefined ? [port, gate.port] : [port];
}
