import { decodeEndpoint, encodeEndpoint, ENDPOINT_LENGTH, familyOf } from '../../bytes/address.ts';
import { decodeUint16, encodeUint16 } from '../../bytes/integer.ts';
import { TRIPLE_DES_BLOCK_LENGTH, TripleDes } from '../../crypto/triple-des.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import { type IpAddress, isPort, type Port, type Protocol } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import { type Call, type Hit, lastKnocks, type Scheme, type Verdict } from '../scheme.ts';
import type { SchemeContext } from '../scheme-context.ts';
import type { Heard } from '../tracker.ts';

/** Ports that stand for the values of a byte. */
export const BYTE_PORTS = 256;

export interface EncryptedSettings {
  /** Of the knocks. */
  readonly protocol: Protocol;
  /** 256 ports, for the values of a byte in order. */
  readonly first: Port;
  readonly last: Port;
  /** 24 bytes */
  readonly key: Uint8Array;
}

/** What the eight ports say. */
interface EncryptedMessage {
  /** IPv4 */
  readonly address: IpAddress;
  readonly port: Port;
  /** 0 opens, 255 closes, anything else opens for so long. */
  readonly minutes: number;
}

const MINUTE_MS = 60_000;
const CLOSE = 255;

/**
 * Mapping with encryption (M. Krzywinski, "Port Knocking", Linux Journal, 2003, third example): address, port, minutes and checksum,
 * encrypted into eight ports (sequence-encrypted.md).
 */
export class EncryptedScheme implements Scheme {
  readonly name: string;
  readonly fallsTo =
    '{A1} who records a knock and sends it again, from anywhere: it opens again for the address in it, until the key is changed; {B2} until the key is changed; {A3} who breaks each attempt by packets to its ports in the client’s name; a neighbour behind the same NAT who connects first';
  readonly watched: Scheme['watched'];
  readonly #cipher: TripleDes;
  readonly #first: Port;
  readonly #context: SchemeContext;

  constructor(settings: EncryptedSettings, context: SchemeContext) {
    this.#cipher = new TripleDes(settings.key);
    this.#first = settings.first;
    this.#context = context;
    this.name = context.name;
    this.watched = [settings];
  }

  judge(trail: readonly Heard[]): Verdict | null {
    const used = lastKnocks(trail, this.watched, TRIPLE_DES_BLOCK_LENGTH);
    if (used === null) return null;
    const block = Uint8Array.from(used, ({ port }) => port - this.#first);
    const message = decodeMessage(this.#cipher.decrypt(block));
    if (message === null) return null;
    const { address, minutes } = message;
    const port = { protocol: 'tcp', port: message.port } as const;
    const { peer, serviceOf } = this.#context;
    const service = serviceOf(port);
    if (service === null) return null;
    const about = { peer, service, port, address, used };
    if (minutes === CLOSE) return { action: { kind: 'close' }, ...about };
    const lifetimeMs = (minutes * MINUTE_MS) as DurationMs;
    return { action: { kind: 'open' }, ...about, ...(minutes > 0 && { lifetimeMs }) };
  }
}

/**
 * What a client sends.
 * @throws {HknockError} `usage` when the scheme cannot say what it wants
 */
export function encryptedHits(
  { protocol, first, key }: EncryptedSettings,
  call: Call,
): readonly Hit[] {
  const block = new TripleDes(key).encrypt(encodeMessage(messageOf(call)));
  return [...block].map((byte) => ({ protocol, port: first + byte }));
}

function messageOf({ action, port: wanted, address, lifetimeMs }: Call): EncryptedMessage {
  if (wanted?.protocol !== 'tcp') {
    throw new HknockError('usage', 'this scheme needs a TCP port', {
      hint: "name it behind the host, such as 'tcp/22'",
    });
  }
  if (address === undefined || familyOf(address) !== 4) {
    throw new HknockError('usage', 'this scheme needs the IPv4 address to let in', {
      hint: 'name it with --address, as the server sees it',
    });
  }
  const { port } = wanted;
  switch (action) {
    case 'open':
      return { address, port, minutes: minutesOf(lifetimeMs) };
    case 'close':
      return { address, port, minutes: CLOSE };
    case 'ban':
      throw new HknockError('usage', 'an encrypted sequence bans nobody');
  }
}

function minutesOf(lifetimeMs: DurationMs | undefined): number {
  if (lifetimeMs === undefined) return 0;
  const minutes = lifetimeMs / MINUTE_MS;
  if (Number.isInteger(minutes) && minutes > 0 && minutes < CLOSE) return minutes;
  throw new HknockError('usage', 'this scheme can say whole minutes only, from 1 to 254');
}

/** Four bytes of address, two of port, one of minutes, one of checksum (sequence-encrypted.md, section 2). */
function encodeMessage({ address, port, minutes }: EncryptedMessage): Uint8Array {
  const endpoint = new Uint8Array(ENDPOINT_LENGTH);
  encodeEndpoint({ address, port }, endpoint, 0);
  const block = new Uint8Array(TRIPLE_DES_BLOCK_LENGTH);
  block.set(endpoint.subarray(IPV4_AT, IPV4_AT + 4));
  encodeUint16(port, block, 4);
  block[6] = minutes;
  block[7] = checksumOf(block);
  return block;
}

/** Null when the checksum is wrong, or there is no such port. */
function decodeMessage(block: Uint8Array): EncryptedMessage | null {
  const port = decodeUint16(block, 4);
  if (block[7] !== checksumOf(block) || !isPort(port)) return null;
  const endpoint = new Uint8Array(ENDPOINT_LENGTH).fill(0xff, IPV4_AT - 2, IPV4_AT);
  endpoint.set(block.subarray(0, 4), IPV4_AT);
  return { address: decodeEndpoint(endpoint, 0).address, port, minutes: block[6] ?? 0 };
}

/** Where the four bytes stand in an IPv4-mapped address. */
const IPV4_AT = 12;

function checksumOf(block: Uint8Array): number {
  return block.subarray(0, 7).reduce((sum, byte) => sum + byte, 0) % 255;
}
