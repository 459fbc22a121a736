import { HknockError } from '../errors/hknock-error.ts';
import type { Brand } from './brand.ts';

/** What an operator calls a client identity: 1 to 64 of `a-z A-Z 0-9 . _ @ -`, not starting with a dot or dash. */
export type PeerName = Brand<string, 'PeerName'>;

/** What may be opened, such as `ssh`: 1 to 32 of `a-z 0-9 -`, starting with a letter or digit. It goes on the wire. */
export type ServiceName = Brand<string, 'ServiceName'>;

/** Names one grant for its whole life: 16 lower-case hexadecimal digits. */
export type GrantId = Brand<string, 'GrantId'>;

/** Names that are made from certificates begin with this, and no name that a person chooses does. */
const CERTIFICATE_PREFIX = 'cert-';

/** The name of the peer that holds the certificate of this serial number, in lower-case hexadecimal. */
export function certificatePeerName(serial: string): PeerName {
  return `${CERTIFICATE_PREFIX}${serial}` as PeerName;
}

/** Whether a peer is the holder of a certificate. */
export function isCertificatePeer(name: PeerName): boolean {
  return name.startsWith(CERTIFICATE_PREFIX);
}

/**
 * Reads a name that a person chose.
 * @throws {HknockError} `usage` when the text is not a peer's name
 */
export function parsePeerName(text: string): PeerName {
  if (text.startsWith(CERTIFICATE_PREFIX)) {
    throw new HknockError('usage', `'${text}' cannot be a peer's name`, {
      hint: `names that begin with '${CERTIFICATE_PREFIX}' are those of certificates`,
    });
  }
  if (!/^[A-Za-z0-9_@][A-Za-z0-9._@-]{0,63}$/.test(text)) {
    throw new HknockError('usage', `'${text}' cannot be a peer's name`, {
      hint: "use 1 to 64 letters, digits, '.', '_', '@' or '-', not starting with '.' or '-'",
    });
  }
  return text as PeerName;
}

/**
 * Reads a name that a person chose, or one that was made from a certificate.
 * @throws {HknockError} `usage` when the text is neither
 */
export function parseHolderName(text: string): PeerName {
  return /^cert-(?:[0-9a-f]{2}){1,20}$/.test(text) ? (text as PeerName) : parsePeerName(text);
}

/** Whether a text can be a service's name. */
export function isServiceName(text: string): text is ServiceName {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(text);
}

/** @throws {HknockError} `usage` when the text is not a service's name */
export function parseServiceName(text: string): ServiceName {
  if (!isServiceName(text)) {
    throw new HknockError('usage', `'${text}' cannot be a service's name`, {
      hint: "use 1 to 32 of a-z, 0-9 and '-', such as 'ssh' or 'web-admin'",
    });
  }
  return text;
}
