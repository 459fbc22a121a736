import { Reader } from './reader.ts';

/** What the gate looks at in a ClientHello before TLS is given a byte of it. */
export interface PskHello {
  /** The one identity that is offered, as ASCII. */
  readonly identity: string;
  /** 32 bytes that prove the key over `truncated`. */
  readonly binder: Uint8Array;
  /** The handshake message up to its binders (RFC 8446, section 4.2.11.2). */
  readonly truncated: Uint8Array;
}

/** Longest record that is waited for; ours have less than 300 bytes. */
export const MAX_HELLO_LENGTH = 1024;

const RECORD_HEADER_LENGTH = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const PRE_SHARED_KEY = 41;

/** 32 hexadecimal digits (gate.md, section 2). */
const IDENTITY_LENGTH = 32;
const BINDER_LENGTH = 32;

/** Length of the list, length of the binder, binder. */
const BINDERS_LENGTH = 2 + 1 + BINDER_LENGTH;

/**
 * Reads what has come so far (gate.md, section 3, steps 1 to 3): one record that holds one whole ClientHello, whose last extension offers
 * exactly one identity. `more` while bytes are missing; null when it cannot become such a record. Never throws.
 */
export function readPskHello(bytes: Uint8Array): PskHello | 'more' | null {
  const record = new Reader(bytes);
  const header = { type: record.uint(1), major: record.uint(1), minor: record.uint(1) };
  const length = record.uint(2);
  if (header.type !== null && header.type !== HANDSHAKE) return null;
  if (header.major !== null && header.major !== 3) return null;
  if (length === null) return 'more';
  const end = RECORD_HEADER_LENGTH + length;
  if (end > MAX_HELLO_LENGTH || bytes.length > end) return null;
  return bytes.length < end ? 'more' : readHello(bytes.subarray(RECORD_HEADER_LENGTH));
}

function readHello(message: Uint8Array): PskHello | null {
  const hello = new Reader(message);
  if (hello.uint(1) !== CLIENT_HELLO) return null;
  if (hello.uint(3) !== hello.left) return null;
  hello.bytes(2 + 32); // version, random
  hello.vector(1); // session id
  hello.vector(2); // cipher suites
  hello.vector(1); // compression
  const extensions = hello.vector(2);
  if (extensions === null || hello.left !== 0) return null;
  const offer = lastExtension(new Reader(extensions), PRE_SHARED_KEY);
  const offered = offer === null ? null : readOffer(new Reader(offer));
  if (offered === null) return null;
  return { ...offered, truncated: message.subarray(0, message.length - BINDERS_LENGTH) };
}

/** The body of the last extension if it has this type and is the only one of it. */
function lastExtension(extensions: Reader, wanted: number): Uint8Array | null {
  while (extensions.left > 0) {
    const type = extensions.uint(2);
    const body = extensions.vector(2);
    if (body === null) return null;
    if (type === wanted) return extensions.left === 0 ? body : null;
  }
  return null;
}

function readOffer(offer: Reader): Pick<PskHello, 'identity' | 'binder'> | null {
  const identities = offer.vector(2);
  const binders = offer.vector(2);
  if (identities === null || binders === null || offer.left !== 0) return null;
  const identity = only(new Reader(identities), 2, 4);
  const binder = only(new Reader(binders), 1, 0);
  if (identity?.length !== IDENTITY_LENGTH || binder?.length !== BINDER_LENGTH) return null;
  return { identity: Buffer.from(identity).toString('latin1'), binder };
}

/** The one entry of a list: a vector, then so many bytes that mean nothing here (the ticket age). */
function only(list: Reader, lengthOfLength: number, trailing: number): Uint8Array | null {
  const entry = list.vector(lengthOfLength);
  if (list.bytes(trailing) === null || list.left !== 0) return null;
  return entry;
}
