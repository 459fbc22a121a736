import type { z } from 'zod';
import { SECRET_LENGTH, TOTP_SECRET_LENGTH } from '../bytes/key-lengths.ts';
import { admissions, type Admission } from '../units/admission.ts';
import { type PeerName, parseServiceName, type ServiceName } from '../units/names.ts';
import { type DurationMs, formatDuration, parseDuration } from '../units/time.ts';
import { encodeFwknopKeys, fwknopFields, fwknopOf, fwknopTroubles } from './fwknop-keys.ts';
import { formatFwknopKey, type FwknopKeys } from './fwknop-key-text.ts';
import { formatKey, formatTag, parseKey, parseTag } from './key-text.ts';
import { parseToml } from './toml/document.ts';
import { choice, decodeToml, flag, list, table, text } from './toml/fields.ts';
import { reportTroubles } from './toml/report.ts';
import { findNode } from './toml/tree.ts';

/** What the server keeps of a peer. */
export interface PeerRecord {
  readonly name: PeerName;
  /** 8 bytes: what the peer's datagrams begin with. */
  readonly tag: Uint8Array;
  /** 32 bytes */
  readonly secret: Uint8Array;
  /** 32 bytes, for knocks by sequences; null when this peer cannot. */
  readonly totp: Uint8Array | null;
  /** What the peer may open; at least one. */
  readonly services: readonly ServiceName[];
  /** The widest admission this peer may use; null leaves it to the service and the policy. */
  readonly admission: Admission | null;
  /** How long this peer's grants wait for their connection; null leaves it to the service and the policy. */
  readonly ttlMs: DurationMs | null;
  /** Whether it may have grants for the prefix of its address, where the service allows it. */
  readonly prefix?: true;
  /** Whether revoking this peer also cuts its connections; null leaves it to the policy. */
  readonly cutOnRevoke: boolean | null;
  /** What it knocks with as a client of fwknop, if it may. */
  readonly fwknop?: FwknopKeys;
  /** The names of commands that its packets may have run; none if not said. */
  readonly fwknopCommands?: readonly string[];
}

/** A time for a grant to wait, from one second to one day. */
export const ttlField = text('a duration from "1s" to "24h"', (value) => {
  const ttlMs = parseDuration(value);
  return ttlMs >= 1000 && ttlMs <= 86_400_000 ? ttlMs : null;
});

export const admissionField = choice(admissions);

const schema = table({
  tag: text('16 lower-case hexadecimal digits', parseTag),
  secret: text('43 base64url characters', (value) => parseKey(value, SECRET_LENGTH)),
  totp: text('43 base64url characters', (value) => parseKey(value, TOTP_SECRET_LENGTH)).optional(),
  services: list(text('the name of a service', parseServiceName), 'names of services', [1, 256]),
  admission: admissionField.optional(),
  ttl: ttlField.optional(),
  cut_on_revoke: flag().optional(),
  prefix: flag().default(false),
  ...fwknopFields,
});

/**
 * Reads a peer's file.
 * @param known services that there are; null leaves that unchecked
 * @throws {HknockError} `config` with every trouble's line and key, never with a secret
 */
export function decodePeer(
  content: string,
  name: PeerName,
  { file, known }: { readonly file: string; readonly known: ReadonlySet<ServiceName> | null },
): PeerRecord {
  const source = { file, code: 'config' } as const;
  const { value, root } = decodeToml<z.infer<typeof schema>>(content, schema, source);
  const lone = fwknopTroubles(value);
  if (lone.length > 0) reportTroubles(root, lone, source);
  const strange = value.services
    .map((service, at) => ({ service, path: ['services', at] }))
    .filter(({ service }) => known?.has(service) === false);
  if (known !== null && strange.length > 0) {
    const expected = `a service that hknock.toml names (${[...known].join(', ') || 'it names none'})`;
    reportTroubles(
      root,
      strange.map(({ path }) => ({ path, expected })),
      source,
    );
  }
  return {
    name,
    tag: value.tag,
    secret: value.secret,
    totp: value.totp ?? null,
    services: value.services,
    admission: value.admission ?? null,
    ttlMs: value.ttl ?? null,
    cutOnRevoke: value.cut_on_revoke ?? null,
    ...(value.prefix && { prefix: value.prefix }),
    ...fwknopOf(value),
  };
}

/** The text of a new peer's file, with what it leaves to others as comments. */
export function encodePeer(peer: PeerRecord): string {
  const { admission, ttlMs, cutOnRevoke, totp, prefix = false } = peer;
  return `# Peer '${peer.name}'. Keep this file secret: whoever has it can knock as '${peer.name}'.
tag = "${formatTag(peer.tag)}"
secret = "${formatKey(peer.secret)}"
${totp === null ? '' : `# For knocks by sequences.\ntotp = "${formatKey(totp)}"\n`}
# What this peer may open.
services = [${peer.services.map((service) => `"${service}"`).join(', ')}]

# Below: what is to differ from the service and from [policy] in hknock.toml.
# The widest admission accepted.
${admission === null ? '# admission = "once"' : `admission = "${admission}"`}
# How long a grant waits for its connection.
${ttlMs === null ? '# ttl = "30s"' : `ttl = "${formatDuration(ttlMs)}"`}
# Whether it may be let in from its whole /24 (IPv6: /64), by services that allow it too.
${prefix ? 'prefix = true' : '# prefix = false'}
# Whether revoking this peer also cuts its connections.
${cutOnRevoke === null ? '# cut_on_revoke = true' : `cut_on_revoke = ${String(cutOnRevoke)}`}
${peer.fwknop === undefined ? '' : encodeFwknopKeys(peer.fwknop, peer.fwknopCommands)}`;
}

/** The keys of a peer, which are made and replaced together. */
export type PeerKeys = Pick<PeerRecord, 'tag' | 'secret' | 'totp' | 'fwknop'>;

/** A correct peer's file with other keys in place of those that stand there; everything else, comments too, as it was. */
export function replacePeerKeys(content: string, { tag, secret, totp, fwknop }: PeerKeys): string {
  const root = parseToml(content, { file: 'peer', code: 'config' });
  const replacement = (key: string, text: string) => ({ node: findNode(root, [key]).node, text });
  return (
    [
      replacement('tag', formatTag(tag)),
      replacement('secret', formatKey(secret)),
      ...(totp === null ? [] : [replacement('totp', formatKey(totp))]),
      ...(fwknop === undefined
        ? []
        : [
            replacement('fwknop_key', formatFwknopKey(fwknop.key)),
            replacement('fwknop_hmac_key', formatFwknopKey(fwknop.hmacKey)),
          ]),
    ]
      // from the end, so that the first change does not move the others' places
      .sort((a, b) => b.node.range[0] - a.node.range[0])
      .reduce(
        (text, { node: { range }, text: value }) =>
          `${text.slice(0, range[0])}"${value}"${text.slice(range[1])}`,
        content,
      )
  );
}
