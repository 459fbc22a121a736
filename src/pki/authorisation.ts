import { isPort, type Protocol, type ServicePort } from '../units/network.ts';
import { contextTag, DerFault, type DerReader, tags } from './der.ts';
import { decodeUtf8, readObjectIdentifier } from './der-values.ts';

/** The type of the `otherName` that says what a certificate may open. */
export const AUTHORISATION_ID = '1.3.6.1.4.1.19518';

/** Most ports that one certificate may name; far more than fit into one that can be sent. */
const MAX_AUTHORISED_PORTS = 256;

const numbers: Readonly<Record<Protocol, string>> = { tcp: '1', udp: '0' };

/** `1.22,0.60001` for tcp/22 and udp/60001. */
export function formatAuthorisation(ports: readonly ServicePort[]): string {
  return ports.map(({ protocol, port }) => `${numbers[protocol]}.${String(port)}`).join(',');
}

/** Reads what {@link formatAuthorisation} writes; null for anything else, also for a port that is there twice. */
function parseAuthorisation(text: string): readonly ServicePort[] | null {
  const parts = text.split(',', MAX_AUTHORISED_PORTS + 1);
  const ports = parts.map(parsePort).filter((each) => each !== null);
  const isWhole = ports.length === parts.length && parts.length <= MAX_AUTHORISED_PORTS;
  return isWhole && new Set(parts).size === parts.length ? ports : null;
}

function parsePort(text: string): ServicePort | null {
  const match = /^([01])\.([1-9]\d{0,4})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || !isPort(port)) return null;
  return { protocol: match[1] === numbers.tcp ? 'tcp' : 'udp', port };
}

export type AuthorisationFault =
  | 'certificate-no-authorisation'
  | 'certificate-bad-authorisation'
  | 'certificate-old-authorisation';

/**
 * What a subjectAltName authorises (RFC 5280, section 4.2.1.6): one `otherName` of our type, whose value is a UTF8String.
 * @throws {DerFault}
 */
export function readAuthorisation(reader: DerReader): readonly ServicePort[] | AuthorisationFault {
  const names = reader.inside(tags.sequence, (list) => list.all(readOtherName));
  const [first, ...others] = names.filter((name) => name?.id === AUTHORISATION_ID);
  if (first === null || first === undefined) return 'certificate-no-authorisation';
  if (others.length > 0) return 'certificate-bad-authorisation';
  // as the first certificates of this kind had it: TCP2000,TCP3000
  if (first.tag === tags.octetString) return 'certificate-old-authorisation';
  if (first.tag !== tags.utf8String) return 'certificate-bad-authorisation';
  return parseAuthorisation(decodeUtf8(first.content)) ?? 'certificate-bad-authorisation';
}

interface OtherName {
  readonly id: string;
  readonly tag: number;
  readonly content: Uint8Array;
}

/** One name; null when it is of another kind, such as a host's. */
function readOtherName(reader: DerReader): OtherName | null {
  const kind = contextTag(0, 'constructed');
  if (reader.tag !== kind) {
    reader.next(reader.tag ?? 0);
    return null;
  }
  return reader.inside(kind, (name) => {
    const id = readObjectIdentifier(name);
    return name.inside(kind, (value) => {
      if (value.tag === null) throw new DerFault('cut off');
      const { tag, content } = value.next(value.tag);
      return { id, tag, content };
    });
  });
}
