import { HknockError } from '../errors/hknock-error.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import type { Port, Prefix, ServicePort } from '../units/network.ts';
import type { CertificateKey } from './certificate-key.ts';
import type { FwknopProfile } from './fwknop-key-text.ts';
import type { SequenceKey } from './sequence-key.ts';

/** The UDP port of a responder when nobody says another. */
export const DEFAULT_PORT = 62_202 as Port;

/** Most names and addresses that one profile may list. */
export const MAX_HOSTS = 16;

/** Most prefixes that one profile may expect. */
export const MAX_PREFIXES = 64;

/** What a client keeps of a server that knows it as a peer. */
export interface Profile {
  /** What the user calls the server; see {@link isProfileName}. */
  readonly name: string;
  /** Names and addresses of the one server, in the order to be tried; at least one, each as `parseHost` gives it. */
  readonly hosts: readonly string[];
  readonly port: Port;
  /** 16 bytes; this, tag and secret are empty where there are keys of fwknop alone. */
  readonly responderId: Uint8Array;
  readonly peer: PeerName;
  /** 8 bytes */
  readonly tag: Uint8Array;
  /** 32 bytes */
  readonly secret: Uint8Array;
  /** What may be asked for; at least one service with at least one port. */
  readonly services: ReadonlyMap<ServiceName, readonly ServicePort[]>;
  /** For knocks by sequences; left out when the server has given none. */
  readonly sequence?: SequenceKey;
  /** For knocks as fwknop's client makes them; left out when there are no keys for that. */
  readonly fwknop?: FwknopProfile;
  /** For knocks with a certificate, which are made when there is one; then tag, secret and responder are those of the lobby. */
  readonly certificate?: CertificateKey;
  /** The addresses that the client may have on its way to the server; empty when it may have any. */
  readonly expect: readonly Prefix[];
}

/** Whether a profile is good for knocks as fwknop's client makes them, and no others. */
export function isForFwknopAlone({ fwknop, secret }: Profile): boolean {
  return fwknop !== undefined && secret.length === 0;
}

/** Whether a text can name a profile: 1 to 253 of `a-z A-Z 0-9 . _ : @ -`, not starting with a dash, so that any host can. */
export function isProfileName(text: string): boolean {
  return /^[A-Za-z0-9._:@][A-Za-z0-9._:@-]{0,252}$/.test(text);
}

/**
 * The same profile under another name.
 * @throws {HknockError} `usage` when the text cannot name a profile
 */
export function renameProfile(profile: Profile, name: string): Profile {
  if (isProfileName(name)) return { ...profile, name };
  throw new HknockError('usage', `'${name}' cannot be a profile's name`, {
    hint: "use a host name, or up to 253 letters, digits, '.', '_', ':', '@' and '-'",
  });
}
