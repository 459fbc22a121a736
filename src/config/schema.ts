import type { z } from 'zod';
import { parseAddress } from '../bytes/address.ts';
import { parseHost } from '../store/host-name.ts';
import { admissionField, ttlField } from '../store/peer-file.ts';
import { MAX_HOSTS } from '../store/profile.ts';
import { choice, flag, list, table, tableOf, text, wholeNumber } from '../store/toml/fields.ts';
import { MAX_SERVICE_PORTS, parsePortRange, parseServicePort } from '../units/network.ts';
import { parseDuration } from '../units/time.ts';
import { parseEndpoint } from './endpoint.ts';
import { sequenceSchema } from './sequence.ts';
import { silentSchema } from './silent.ts';
import { controlSocketName, firewallBackends, logLevels } from './server-config.ts';

const endpoint = text('an address and port such as "0.0.0.0:62202" or "[::]:62202"', parseEndpoint);

// an argument may be empty, but the system cannot pass on a NUL
const argument = text('text without a NUL', (value) => (value.includes('\0') ? null : value));

const firewall = table({
  backend: choice(firewallBackends).default('nftables'),
  on_stop: choice(['open', 'shut']).default('open'),
  shield: flag().default(true),
  userspace: table({
    listen: list(text('an address such as "0.0.0.0"', parseAddress), 'addresses', [1, 64]).prefault(
      ['0.0.0.0', '::'],
    ),
  }).prefault({}),
  command: table({
    open: list(argument, 'words', [0, 64, 'repeats']).default([]),
    close: list(argument, 'words', [0, 64, 'repeats']).default([]),
    time_limit: text('a duration from "100ms" to "1m"', (value) => {
      const limitMs = parseDuration(value);
      return limitMs >= 100 && limitMs <= 60_000 ? limitMs : null;
    }).prefault('5s'),
  }).prefault({}),
});

const limits = table({
  peer_knocks_per_second: wholeNumber(1, 100_000).default(5),
  peer_knocks_burst: wholeNumber(1, 1_000_000).default(50),
  source_knocks_per_second: wholeNumber(1, 100_000).default(20),
  source_knocks_burst: wholeNumber(1, 1_000_000).default(100),
  grants_per_peer: wholeNumber(1, 262_144).default(256),
  grants_per_source: wholeNumber(1, 262_144).default(1024),
  // as many as the kernel's first lane has room for (firewall/nftables/layout.ts)
  grants: wholeNumber(1, 262_144).default(131_072),
  replay_records: wholeNumber(1024, 10_000_000).default(65_536),
});

/** A guess hits with a chance of one in so many at most. */
const MIN_ADMISSION_PORTS = 10_000;

const admission = table({
  port_range: text('a range of at least 10000 ports such as "10000-32767"', (value) => {
    const { first, last } = parsePortRange(value);
    return last - first + 1 >= MIN_ADMISSION_PORTS ? { first, last } : null;
  }).prefault('10000-32767'),
  port_guesses: wholeNumber(1, 10_000).default(16),
});

const flowKeep = text('a duration up to "24h"', (value) => {
  const keepMs = parseDuration(value);
  return keepMs <= 86_400_000 ? keepMs : null;
});

const service = table({
  ports: list(
    text('a protocol and port such as "tcp/22"', parseServicePort),
    'ports such as "tcp/22"',
    [1, MAX_SERVICE_PORTS],
  ),
  upstream: list(endpoint, 'addresses with port', [1, MAX_SERVICE_PORTS, 'repeats']).optional(),
  admission: admissionField.optional(),
  ttl: ttlField.optional(),
  flow_keep: flowKeep.optional(),
  prefix: flag().default(false),
  proxy_protocol: flag().default(false),
});

const path = text('a path', (value) => (/^[^\0]+$/.test(value) ? value : null));

const certificates = table({
  ca: path,
  key: path,
  crl: path.optional(),
  crl_refresh: text('a duration from "1s" to "24h"', (value) => {
    const refreshMs = parseDuration(value);
    return refreshMs >= 1000 && refreshMs <= 86_400_000 ? refreshMs : null;
  }).prefault('30m'),
  on_stale: choice(['closed', 'warn']).default('closed'),
  threads: wholeNumber(1, 256).optional(),
});

/** What a packet may say, letter for letter. */
const commandName = /^[a-z0-9][a-z0-9-]{0,31}$/;

const fwknop = table({
  enabled: flag().default(false),
  listen: list(endpoint, 'addresses with port', [1, 64]).prefault(['0.0.0.0:62201', '[::]:62201']),
  max_age: text('a duration from "1s" to "1h"', (value) => {
    const ageMs = parseDuration(value);
    return ageMs >= 1000 && ageMs <= 3_600_000 ? ageMs : null;
  }).prefault('120s'),
  accept_any_source: flag().default(false),
  commands: tableOf(
    commandName,
    "a command's name of 1 to 32 of a-z, 0-9 and '-'",
    list(argument, 'words', [1, 64, 'repeats']),
  ).default({}),
});

const sknock = table({
  listen: list(endpoint, 'addresses with port', [1, 64]),
  range: flag().default(false),
  window: text('whole seconds from "1s" to "5m"', (value) => {
    const windowMs = parseDuration(value);
    return windowMs >= 1000 && windowMs <= 300_000 && windowMs % 1000 === 0 ? windowMs : null;
  }).prefault('7s'),
  check_address: flag().default(true),
  min_frame: wholeNumber(0, 1262).default(500),
});

/** Every option of `hknock.toml`, with its default. */
export const configSchema = table({
  listen: list(endpoint, 'addresses with port', [1, 64]).prefault(['0.0.0.0:62202', '[::]:62202']),
  public_hosts: list(text('a host name or address', parseHost), 'host names or addresses', [
    0,
    MAX_HOSTS,
  ]).default([]),
  server: table({ workers: wholeNumber(1, 64).default(1) }).prefault({}),
  firewall: firewall.prefault({}),
  policy: table({
    admission: admissionField.default('once'),
    ttl: ttlField.prefault('30s'),
    flow_keep: flowKeep.prefault('1h'),
    cut_on_revoke: flag().default(true),
  }).prefault({}),
  admission: admission.prefault({}),
  limits: limits.prefault({}),
  gate: table({
    listen: list(endpoint, 'addresses with port', [0, 64]).default([]),
    any_address: flag().default(false),
  }).prefault({}),
  sequence: sequenceSchema.prefault({}),
  fwknop: fwknop.prefault({}),
  silent: silentSchema.prefault({}),
  log: table({ level: choice(logLevels).default('info') }).prefault({}),
  control: table({ path: path.prefault(controlSocketName) }).prefault({}),
  certificates: certificates.optional(),
  sknock: sknock.optional(),
  services: tableOf(
    /^[a-z0-9][a-z0-9-]{0,31}$/,
    "a service's name of 1 to 32 of a-z, 0-9 and '-'",
    service,
  ).prefault({}),
});

/** What stands in `hknock.toml`, key by key, as values. */
export type ConfigDocument = z.infer<typeof configSchema>;
