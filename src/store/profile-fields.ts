import { RESPONDER_ID_LENGTH, SECRET_LENGTH } from '../bytes/key-lengths.ts';
import { parsePrefix } from '../bytes/prefix.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { isServiceName, parseHolderName, type ServiceName } from '../units/names.ts';
import {
  formatServicePort,
  isPort,
  MAX_SERVICE_PORTS,
  parseServicePort,
  type Port,
  type ServicePort,
} from '../units/network.ts';
import { formatCertificateKey, parseCertificateKey } from './certificate-key.ts';
import { parseHost } from './host-name.ts';
import { formatKey, formatTag, parseKey, parseTag } from './key-text.ts';
import {
  isForFwknopAlone,
  isProfileName,
  MAX_HOSTS,
  MAX_PREFIXES,
  type Profile,
} from './profile.ts';
import { formatFwknopProfile, parseFwknopProfile } from './fwknop-key-text.ts';
import { formatSequenceKey, parseSequenceKey } from './sequence-key.ts';
import type { Trouble } from './toml/trouble.ts';

/** A profile as plain data: what stands in a profile file and in the client's store. */
export interface ProfileFields {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly port: number;
  /** This, tag and secret: all, or with keys of fwknop none. */
  readonly responder?: string;
  readonly peer: string;
  readonly tag?: string;
  readonly secret?: string;
  readonly sequence?: string;
  readonly fwknop?: string;
  readonly certificate?: string;
  /** Left out when there are none. */
  readonly expect?: readonly string[];
  readonly services: Readonly<Record<string, readonly string[]>>;
}

/** Turns a profile into plain data. */
export function profileFields(profile: Profile): ProfileFields {
  return {
    name: profile.name,
    hosts: profile.hosts,
    port: profile.port,
    peer: profile.peer,
    ...(!isForFwknopAlone(profile) && {
      responder: formatKey(profile.responderId),
      tag: formatTag(profile.tag),
      secret: formatKey(profile.secret),
    }),
    ...(profile.fwknop && { fwknop: formatFwknopProfile(profile.fwknop) }),
    ...(profile.sequence && { sequence: formatSequenceKey(profile.sequence) }),
    ...(profile.certificate && { certificate: formatCertificateKey(profile.certificate) }),
    ...(profile.expect.length > 0 && { expect: profile.expect }),
    services: Object.fromEntries(
      [...profile.services].map(([name, ports]) => [name, ports.map(formatServicePort)]),
    ),
  };
}

/**
 * Turns plain data of unknown origin into a profile. Checked by hand and not with the schema library, which
 * takes longer to load than a knock takes.
 * @param fail is told everything that is wrong, and throws
 */
export function parseProfile(
  data: unknown,
  fail: (troubles: readonly Trouble[]) => never,
): Profile {
  if (!isRecord(data)) return fail([{ path: [], expected: 'a table' }]);
  const known = Object.keys(readers);
  const troubles: Trouble[] = Object.keys(data)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [key], known }));
  const read = <T>(key: keyof ProfileFields, { expected, parse }: Reader<T>): T | null => {
    const value = Object.hasOwn(data, key) ? parse(data[key]) : null;
    if (value === null) troubles.push({ path: [key], expected });
    return value;
  };
  const profile = {
    name: read('name', readers.name),
    hosts: read('hosts', readers.hosts),
    port: read('port', readers.port),
    peer: read('peer', readers.peer),
    ...(hasOwnKeys(data)
      ? {
          responderId: read('responder', readers.responder),
          tag: read('tag', readers.tag),
          secret: read('secret', readers.secret),
        }
      : { responderId: none, tag: none, secret: none }),
    ...(Object.hasOwn(data, 'fwknop') && { fwknop: read('fwknop', readers.fwknop) }),
    ...(Object.hasOwn(data, 'certificate') && {
      certificate: read('certificate', readers.certificate),
    }),
    ...(Object.hasOwn(data, 'sequence') && { sequence: read('sequence', readers.sequence) }),
    expect: Object.hasOwn(data, 'expect') ? read('expect', readers.expect) : [],
    services: read('services', readers.services),
  };
  return troubles.length === 0 && isComplete(profile) ? profile : fail(troubles);
}

const none = new Uint8Array(0);

/** Whether there are keys, or should be. */
function hasOwnKeys(data: Readonly<Record<string, unknown>>): boolean {
  return (
    !Object.hasOwn(data, 'fwknop') ||
    ['responder', 'tag', 'secret'].some((key) => Object.hasOwn(data, key))
  );
}

interface Reader<T> {
  /** Completes "expected …". */
  readonly expected: string;
  /** Null when the value is something else. */
  readonly parse: (value: unknown) => T | null;
}

const readers = {
  name: {
    expected: "1 to 253 letters, digits, '.', '_', ':', '@' or '-'",
    parse: text((name) => (isProfileName(name) ? name : null)),
  },
  hosts: {
    expected: `a list of 1 to ${String(MAX_HOSTS)} host names or addresses`,
    parse: listOf(text(parseHost), MAX_HOSTS),
  },
  port: { expected: 'a port, 1 to 65535', parse: parsePort },
  responder: {
    expected: '22 base64url characters',
    parse: text((key) => parseKey(key, RESPONDER_ID_LENGTH)),
  },
  peer: { expected: "a peer's name", parse: text(orNull(parseHolderName)) },
  tag: { expected: '16 lower-case hexadecimal digits', parse: text(parseTag) },
  secret: {
    expected: '43 base64url characters',
    parse: text((key) => parseKey(key, SECRET_LENGTH)),
  },
  fwknop: {
    expected: 'the keys of fwknop such as "62201 sha256 base64:KEY base64:HMAC_KEY"',
    parse: text(parseFwknopProfile),
  },
  sequence: {
    expected: 'a sequence key such as "tcp:20000-32767:6:" and 43 base64url characters',
    parse: text(parseSequenceKey),
  },
  certificate: {
    expected: "a certificate, its private key and the server's public key, each in base64url",
    parse: text(parseCertificateKey),
  },
  expect: {
    expected: `a list of 1 to ${String(MAX_PREFIXES)} prefixes such as "203.0.113.0/24"`,
    parse: listOf(text(parsePrefix), MAX_PREFIXES),
  },
  services: {
    expected: `names of services, each with a list of 1 to ${String(MAX_SERVICE_PORTS)} ports such as "tcp/22"`,
    parse: parseServices,
  },
} satisfies Required<Record<keyof ProfileFields, Reader<unknown>>>;

function text<T>(parse: (text: string) => T | null): Reader<T>['parse'] {
  return (value) => (typeof value === 'string' ? parse(value) : null);
}

function listOf<T>(parse: Reader<T>['parse'], max: number): Reader<readonly T[]>['parse'] {
  return (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > max) return null;
    const items = value.map(parse).filter((item) => item !== null);
    return items.length === value.length ? items : null;
  };
}

function orNull<T>(parse: (text: string) => T): (text: string) => T | null {
  return (value) => {
    try {
      return parse(value);
    } catch (error) {
      if (error instanceof HknockError) return null;
      throw error;
    }
  };
}

function parsePort(value: unknown): Port | null {
  return typeof value === 'number' && isPort(value) ? value : null;
}

function parseServices(value: unknown): Profile['services'] | null {
  if (!isRecord(value)) return null;
  const services = new Map<ServiceName, readonly ServicePort[]>();
  const parsePorts = listOf(text(orNull(parseServicePort)), MAX_SERVICE_PORTS);
  for (const [name, item] of Object.entries(value)) {
    const ports = parsePorts(item);
    if (!isServiceName(name) || ports === null) return null;
    services.set(name, ports);
  }
  return services.size > 0 ? services : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isComplete(profile: { [K in keyof Profile]: Profile[K] | null }): profile is Profile {
  return Object.values(profile).every((value) => value !== null);
}
