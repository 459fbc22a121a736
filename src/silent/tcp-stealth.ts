import { ADDRESS_LENGTH, encodeEndpoint, familyOf } from '../bytes/address.ts';
import { ascii, concat } from '../bytes/bytes.ts';
import { encodeUint16, encodeUint32 } from '../bytes/integer.ts';
import type { Mac } from '../crypto/mac.ts';
import { md5Compression } from '../crypto/md5-compression.ts';
import type { Endpoint } from '../units/network.ts';

const SECRET_LENGTH = 64;
const IPV4_AT = 12;

const LABEL = ascii('hknock/1 tcp stealth');

/** Where the fields are mixed into the address. */
const INTEGRITY_AT = 4;
const TIMESTAMP_AT = 8;
const PORT_AT = 12;

/** What the number of a SYN is made of in TCP Stealth. */
export interface StealthSyn {
  readonly destination: Endpoint;
  /** The SYN's own TSval; 0 where it has none. */
  readonly timestamp: number;
  /** The hash over the first bytes that will be sent, 16 bits; null without that option. */
  readonly integrity: number | null;
}

/**
 * The initial sequence number of TCP Stealth (silent.md, section 7).
 * @param secret padded with zeros, or cut, to 64 bytes
 */
export function stealthNumber(
  secret: Uint8Array,
  { destination, timestamp, integrity }: StealthSyn,
): number {
  const block = new Uint8Array(SECRET_LENGTH);
  block.set(secret.subarray(0, SECRET_LENGTH));
  const state = addressOf(destination);
  mixIn(state, INTEGRITY_AT, uint16(integrity ?? 0));
  mixIn(state, TIMESTAMP_AT, uint32(timestamp));
  mixIn(state, PORT_AT, uint16(destination.port));
  const number = md5Compression(state, block).reduce((all, word) => all ^ word, 0) >>> 0;
  return integrity === null ? number : ((number & 0xffff_0000) | integrity) >>> 0;
}

/** The secret of a peer: 64 bytes, HKDF-Expand under the key of its other numbers. */
function stealthSecret(key: Mac): Uint8Array {
  const first = key.of(LABEL, Uint8Array.of(1));
  return concat(first, key.of(first, LABEL, Uint8Array.of(2)));
}

/** The number of a client whose SYNs have no timestamp. */
export function timelessNumber(key: Mac, destination: Endpoint): number {
  return stealthNumber(stealthSecret(key), { destination, timestamp: 0, integrity: null });
}

/** 16 bytes: that of IPv4 stands first, with zeros behind it. */
function addressOf(destination: Endpoint): Uint8Array {
  const encoded = new Uint8Array(ADDRESS_LENGTH + 2);
  encodeEndpoint(destination, encoded, 0);
  if (familyOf(destination.address) === 6) return encoded.subarray(0, ADDRESS_LENGTH);
  const state = new Uint8Array(ADDRESS_LENGTH);
  state.set(encoded.subarray(IPV4_AT, ADDRESS_LENGTH));
  return state;
}

function mixIn(state: Uint8Array, at: number, bytes: Uint8Array): void {
  for (const [i, byte] of bytes.entries()) state[at + i] = (state[at + i] ?? 0) ^ byte;
}

function uint16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  encodeUint16(value, bytes, 0);
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  encodeUint32(value, bytes, 0);
  return bytes;
}
