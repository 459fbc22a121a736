import { createCipheriv, createDecipheriv } from 'node:crypto';
import { familyOf } from '../../bytes/address.ts';
import { ascii } from '../../bytes/bytes.ts';
import { decodeUint16, encodeUint16 } from '../../bytes/integer.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import { type IpAddress, isPort, type Protocol, type ServicePort } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import {
  type Call,
  type Hit,
  lastKnocks,
  type Scheme,
  type Verdict,
  type WatchedPorts,
} from '../scheme.ts';
import type { SchemeContext } from '../scheme-context.ts';
import type { Heard } from '../tracker.ts';

export interface FwknopEncryptedSettings {
  /** 16 bytes */
  readonly key: Uint8Array;
  /** 1 to 8 ASCII characters. */
  readonly user: string;
  /** The port that stands for a byte of 0; that for 255 is the last. */
  readonly firstPort: number;
  readonly lifetimeMs: DurationMs | null;
}

/**
 * What is encrypted (sequence-fwknop-encrypted.md, section 2):
 *
 *   0  address   4   IPv4, of whom to let in
 *   4  port      2
 *   6  protocol  1   6 TCP, 17 UDP
 *   7  checksum  1   sum of all other bytes, modulo 256
 *   8  user      8   zeros behind it
 */
const BLOCK_LENGTH = 16;
const PORT_AT = 4;
const PROTOCOL_AT = 6;
const CHECKSUM_AT = 7;
const USER_AT = 8;
export const MAX_USER_LENGTH = BLOCK_LENGTH - USER_AT;

/** Values of the protocol field (RFC 791). */
const protocolNumbers = { tcp: 6, udp: 17 } as const;

/** All bytes of a block can be any. */
export function fwknopEncryptedPorts({
  firstPort,
}: FwknopEncryptedSettings): readonly WatchedPorts[] {
  const range = { first: firstPort, last: firstPort + 0xff };
  return [
    { protocol: 'tcp', ...range },
    { protocol: 'udp', ...range },
  ];
}

/**
 * The encrypted sequence of fwknop (M. Rash, "Combining Port Knocking and Passive OS Fingerprinting with fwknop", ;login:, 2004):
 * address, port, protocol and user in one block of Rijndael, a byte a knock, by TCP and UDP in turn.
 */
export class FwknopEncryptedScheme implements Scheme {
  readonly name: string;
  readonly fallsTo =
    '{A1} who records it once and sends it from any address: it opens again for the address that is in it, as long as the key is not changed; {A1} behind the NAT of that address; {B2} until the key is changed; {A3} who breaks each attempt by packets to its ports in the client’s name';
  readonly watched: readonly WatchedPorts[];
  readonly #settings: FwknopEncryptedSettings;
  readonly #context: SchemeContext;

  constructor(settings: FwknopEncryptedSettings, context: SchemeContext) {
    this.#settings = settings;
    this.#context = context;
    this.name = context.name;
    this.watched = fwknopEncryptedPorts(settings);
  }

  judge(trail: readonly Heard[]): Verdict | null {
    const { key, user, firstPort, lifetimeMs } = this.#settings;
    const used = lastKnocks(trail, this.watched, BLOCK_LENGTH);
    if (used?.every(({ protocol }, at) => protocol === protocolAt(at)) !== true) return null;
    const wish = decodeBlock(
      decrypt(
        key,
        Uint8Array.from(used, ({ port }) => port - firstPort),
      ),
    );
    if (wish?.user !== user) return null;
    const { address, port } = wish;
    const service = this.#context.serviceOf(port);
    if (service === null) return null;
    const { peer } = this.#context;
    const lifetime = lifetimeMs !== null && { lifetimeMs };
    return { action: { kind: 'open' }, peer, service, port, address, ...lifetime, used };
  }
}

/**
 * What a client sends.
 * @throws {HknockError} `usage` when it does not say whom to let in and where, or wants what the block has no place for
 */
export function fwknopEncryptedHits(
  { key, user, firstPort }: FwknopEncryptedSettings,
  { action, port, address, lifetimeMs }: Call,
): readonly Hit[] {
  if (action !== 'open' || lifetimeMs !== undefined) {
    throw new HknockError('usage', 'this scheme can open only, and says no time');
  }
  if (port === undefined || address === undefined || familyOf(address) !== 4) {
    throw new HknockError(
      'usage',
      'this scheme wants the port to have opened, and an IPv4 address',
      {
        hint: 'such as: hknock sequence HOST tcp/22 --scheme FILE --address 192.0.2.7',
      },
    );
  }
  const block = encrypt(key, encodeBlock({ address, port, user }));
  return Array.from(block, (byte, at) => ({ protocol: protocolAt(at), port: firstPort + byte }));
}

/** Of the knock at a place: one after the other. */
function protocolAt(at: number): Protocol {
  return at % 2 === 0 ? 'tcp' : 'udp';
}

interface Wish {
  readonly address: IpAddress;
  readonly port: ServicePort;
  readonly user: string;
}

function encodeBlock({ address, port: { protocol, port }, user }: Wish): Uint8Array {
  const block = new Uint8Array(BLOCK_LENGTH);
  block.set(address.split('.').map(Number));
  encodeUint16(port, block, PORT_AT);
  block[PROTOCOL_AT] = protocolNumbers[protocol];
  block.set(ascii(user), USER_AT);
  block[CHECKSUM_AT] = sumOf(block);
  return block;
}

/** Null for a block that nobody has made who has the key. */
function decodeBlock(block: Uint8Array): Wish | null {
  const port = decodeUint16(block, PORT_AT);
  const protocol = (['tcp', 'udp'] as const).find(
    (each) => protocolNumbers[each] === block[PROTOCOL_AT],
  );
  // a user's name and the zeros behind it; nothing else, so that there is one block for each wish
  const [, user] =
    /^([!-~]+)\0*$/.exec(Buffer.from(block.subarray(USER_AT)).toString('latin1')) ?? [];
  if (block[CHECKSUM_AT] !== sumOf(block) || protocol === undefined) return null;
  if (user === undefined || !isPort(port)) return null;
  const address = block.subarray(0, PORT_AT).join('.') as IpAddress;
  return { address, port: { protocol, port }, user };
}

/** Of all bytes but the checksum's own. */
function sumOf(block: Uint8Array): number {
  return block.reduce((sum, byte, at) => (at === CHECKSUM_AT ? sum : (sum + byte) & 0xff), 0);
}

/** Rijndael with 128 bits of key: of a single block, so there is nothing to chain. */
const CIPHER = 'aes-128-ecb';

function encrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  return createCipheriv(CIPHER, key, null).setAutoPadding(false).update(block);
}

function decrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  return createDecipheriv(CIPHER, key, null).setAutoPadding(false).update(block);
}
