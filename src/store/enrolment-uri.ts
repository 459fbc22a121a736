import { HknockError } from '../errors/hknock-error.ts';
import { formatServicePort } from '../units/network.ts';
import { parseHost } from './host-name.ts';
import { DEFAULT_PORT, type Profile } from './profile.ts';
import { parseProfile, type ProfileFields, profileFields } from './profile-fields.ts';
import { formatPath, type Trouble } from './toml/trouble.ts';

const SCHEME = 'hknock://';
const VERSION = '1';

/** Longest URI that is looked at; the longest that a profile makes in practice is a quarter of it. */
const MAX_URI_LENGTH = 8192;

const single: readonly string[] = ['v', 'name', 'peer', 'responder', 'tag', 'secret', 'sequence'];
const repeated: readonly string[] = ['host', 'service', 'expect'];

/**
 * Writes a profile as one line that fits in a QR code:
 * `hknock://HOST[:PORT]/?v=1&peer=…&responder=…&tag=…&secret=…&service=ssh:tcp/22`.
 * More hosts follow as `host=`, the name as `name=` where it is not the first host's, and expected prefixes as `expect=`. Every character that can
 * occur may stand in a query as it is (RFC 3986, section 3.4). The text is as secret as the profile.
 */
export function formatEnrolmentUri(profile: Profile): string {
  const { name, hosts, port, responder, peer, tag, secret, sequence, expect } =
    profileFields(profile);
  const [first = '', ...others] = hosts;
  const services = [...profile.services].map(
    ([service, ports]) => `${service}:${ports.map(formatServicePort).join(',')}`,
  );
  const pairs = [
    ['v', VERSION],
    ...(name === first ? [] : [['name', name]]),
    ['peer', peer],
    ['responder', responder],
    ['tag', tag],
    ['secret', secret],
    ...(sequence === undefined ? [] : [['sequence', sequence]]),
    ...others.map((host) => ['host', host]),
    ...services.map((service) => ['service', service]),
    ...(expect ?? []).map((prefix) => ['expect', prefix]),
  ];
  const authority = first.includes(':') ? `[${first}]` : first;
  const suffix = port === DEFAULT_PORT ? '' : `:${String(port)}`;
  return `${SCHEME}${authority}${suffix}/?${pairs.map((pair) => pair.join('=')).join('&')}`;
}

/** Whether a text means to be an enrolment URI and not the name of a file. */
export function isEnrolmentUri(text: string): boolean {
  return text.slice(0, SCHEME.length).toLowerCase() === SCHEME;
}

/**
 * Reads what {@link formatEnrolmentUri} wrote. Parameters may come in any order and percent-encoded, as mail and chat
 * programs leave them; a parameter that is unknown, missing or said twice is an error.
 * @throws {HknockError} `bad-input`, never with a value in it
 */
export function parseEnrolmentUri(uri: string): Profile {
  if (uri.length > MAX_URI_LENGTH) throw fault('it is too long');
  const match = /^hknock:\/\/(?:\[([^\]/?#]+)\]|([^:[\]/?#]+))(?::(\d{1,5}))?\/?\?([^#\s]*)$/i.exec(
    uri,
  );
  if (match === null) throw fault('it should begin with hknock://HOST/?v=1&');
  const [, address, name, port = String(DEFAULT_PORT), query = ''] = match;
  const parameters = parseQuery(query);
  requireVersion(parameters.get('v'));
  return parseProfile(toFields(address ?? name ?? '', Number(port), parameters), (troubles) => {
    throw fault(troubles.map(describe).join('; '));
  });
}

type Parameters = ReadonlyMap<string, readonly string[]>;

function parseQuery(query: string): Parameters {
  const parameters = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    const [key, value] = splitAt(pair, '=');
    const values = parameters.get(key) ?? [];
    // the key is not quoted: in a mangled URI it may be a piece of the secret
    if (!single.includes(key) && !repeated.includes(key)) {
      throw fault(`it has a parameter that is none of ${[...single, ...repeated].join(', ')}`);
    }
    if (values.length > 0 && single.includes(key)) throw fault(`'${key}' is there twice`);
    parameters.set(key, [...values, decode(key, value)]);
  }
  return parameters;
}

function requireVersion(version: readonly string[] | undefined): void {
  if (version?.[0] === VERSION) return;
  throw fault(
    version === undefined ? "'v' is missing" : 'it is of a version that this hknock does not know',
  );
}

function toFields(host: string, port: number, parameters: Parameters): ProfileFields {
  const first = (key: string) => parameters.get(key)?.[0] ?? '';
  const hosts = [host, ...(parameters.get('host') ?? [])];
  return {
    name: parameters.has('name') ? first('name') : (parseHost(host) ?? host),
    hosts,
    port,
    responder: first('responder'),
    peer: first('peer'),
    tag: first('tag'),
    secret: first('secret'),
    services: toServices(parameters.get('service') ?? []),
    ...(parameters.has('sequence') && { sequence: first('sequence') }),
    ...(parameters.has('expect') && { expect: parameters.get('expect') ?? [] }),
  };
}

function toServices(values: readonly string[]): ProfileFields['services'] {
  const services = values.map((value): [string, string[]] => {
    const [name, ports] = splitAt(value, ':');
    return [name, ports.split(',')];
  });
  if (new Set(services.map(([name]) => name)).size < services.length) {
    throw fault("'service' names one service twice");
  }
  return Object.fromEntries(services);
}

function describe(trouble: Trouble): string {
  const key = formatPath(trouble.path);
  return 'expected' in trouble ? `'${key}' should be ${trouble.expected}` : `'${key}' is wrong`;
}

function decode(key: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw fault(`'${key}' has a wrong percent sign`);
  }
}

function splitAt(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function fault(what: string): HknockError {
  return new HknockError('bad-input', `this enrolment URI cannot be used: ${what}`, {
    hint: 'copy it again, whole, from the output of hknock peer add',
  });
}
