import { concat, isZero } from '../bytes/bytes.ts';
import { decodeUint16, decodeUint32, encodeUint16, encodeUint32 } from '../bytes/integer.ts';
import { isPort, type IpAddress, type ServicePort } from '../units/network.ts';
import { CLIENT_ADDRESS_LENGTH, encodeClientAddress } from './client-address.ts';

const PROTOCOL_AT = 1;
const PORT_AT = 2;
const ADDRESS_AT = 4;
const TIMESTAMP_AT = ADDRESS_AT + CLIENT_ADDRESS_LENGTH;
const CERTIFICATE_AT = TIMESTAMP_AT + 4;

/** Longest ECDSA signature on P-256 in DER. */
const MAX_SIGNATURE_LENGTH = 72;
const TRAILER_LENGTH = 1 + MAX_SIGNATURE_LENGTH;

const protocols = ['udp', 'tcp'] as const;

/** What a client asks for. */
export interface Request {
  readonly port: ServicePort;
  /** Where the client says it is. */
  readonly address: IpAddress;
  /** Unix time in whole seconds, up to 2^32 - 1. */
  readonly issuedAtUnixS: number;
  /** X.509, DER. */
  readonly certificate: Uint8Array;
}

/** A request as it was received, with its signature still to be verified. */
export interface SignedRequest extends Omit<Request, 'address'> {
  /** 16 bytes; see `client-address.ts`. */
  readonly addressBytes: Uint8Array;
  /** ECDSA with SHA-256, DER, over `signed`. */
  readonly signature: Uint8Array;
  readonly signed: Uint8Array;
}

/**
 * What the signature covers (sknock.md, section 3):
 *
 * | offset | length | field |
 * |---|---|---|
 * | 0 | 1 | zero |
 * | 1 | 1 | protocol: 1 TCP, 0 UDP |
 * | 2 | 2 | port |
 * | 4 | 16 | client address |
 * | 20 | 4 | timestamp |
 * | 24 | c | certificate |
 */
export function encodeRequest({ port, address, issuedAtUnixS, certificate }: Request): Uint8Array {
  const fields = new Uint8Array(CERTIFICATE_AT);
  fields[PROTOCOL_AT] = protocols.indexOf(port.protocol);
  encodeUint16(port.port, fields, PORT_AT);
  fields.set(encodeClientAddress(address), ADDRESS_AT);
  encodeUint32(issuedAtUnixS, fields, TIMESTAMP_AT);
  return concat(fields, certificate);
}

/** The plaintext: the request, then 1 byte with the signature's length, then 72 bytes with the signature at their end. */
export function encodeSignedRequest(request: Uint8Array, signature: Uint8Array): Uint8Array {
  const trailer = new Uint8Array(TRAILER_LENGTH);
  trailer[0] = signature.length;
  trailer.set(signature, TRAILER_LENGTH - signature.length);
  return concat(request, trailer);
}

/** Reads a plaintext; null for anything that `encodeSignedRequest` does not write. */
export function decodeSignedRequest(plaintext: Uint8Array): SignedRequest | null {
  const trailerAt = plaintext.length - TRAILER_LENGTH;
  if (trailerAt <= CERTIFICATE_AT || plaintext[0] !== 0) return null;
  const protocol = protocols[plaintext[PROTOCOL_AT] ?? 0xff];
  const port = decodeUint16(plaintext, PORT_AT);
  const signatureAt = plaintext.length - (plaintext[trailerAt] ?? 0);
  if (protocol === undefined || !isPort(port)) return null;
  if (signatureAt <= trailerAt || !isZero(plaintext, trailerAt + 1, signatureAt)) return null;
  return {
    port: { protocol, port },
    addressBytes: plaintext.subarray(ADDRESS_AT, TIMESTAMP_AT),
    issuedAtUnixS: decodeUint32(plaintext, TIMESTAMP_AT),
    certificate: plaintext.subarray(CERTIFICATE_AT, trailerAt),
    signature: plaintext.subarray(signatureAt),
    signed: plaintext.subarray(0, trailerAt),
  };
}
