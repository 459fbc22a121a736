import { resolve } from 'node:path';
import type { z } from 'zod';
import { choice, list, table, text, wholeNumber } from '../store/toml/fields.ts';
import type { Trouble } from '../store/toml/trouble.ts';
import type { Protocol } from '../units/network.ts';
import {
  MAX_KNOCKS,
  MIN_KNOCKS,
  MIN_SLICE,
  parsePortRange,
  type SequenceShape,
  sliceWidth,
} from '../units/sequence-shape.ts';
import { durationFrom } from './duration-field.ts';
import type { SequenceConfig, ServerConfig } from './server-config.ts';

/** Most schemes that may be on at a time. */
const MAX_SCHEMES = 64;

/** The table `[sequence]` of `hknock.toml`. */
export const sequenceSchema = table({
  schemes: list(
    text('"totp", or the name of a file in the folder schemes without its .toml', (value) =>
      /^[a-z0-9][a-z0-9-]{0,31}$/.test(value) ? value : null,
    ),
    'schemes',
    [0, MAX_SCHEMES],
  ).default([]),
  source: choice(['nflog', 'log']).default('nflog'),
  group: wholeNumber(0, 65_535).default(6220),
  log_file: text('a path', (value) => (/^[^\0]+$/.test(value) ? value : null)).prefault(
    '/var/log/kern.log',
  ),
  log_prefix: text('1 to 63 printable ASCII characters', (value) =>
    /^[ -~]{1,63}$/.test(value) ? value : null,
  ).prefault('hknock: '),
  window: durationFrom('1s', '5m').prefault('15s'),
  budget: wholeNumber(MAX_KNOCKS, 1024).default(32),
  ignore: durationFrom('1s', '24h').prefault('1m'),
  packets_per_second: wholeNumber(100, 1_000_000).default(50_000),
  source_packets_per_second: wholeNumber(10, 1_000_000).default(100),
  totp: table({
    knocks: wholeNumber(MIN_KNOCKS, MAX_KNOCKS).default(6),
    protocol: choice(['tcp', 'udp']).default('tcp'),
    ports: text('two ports such as "20000-32767"', parsePortRange).prefault('20000-32767'),
  }).prefault({}),
});

/** The values of the table, with our names. */
export function toSequence(
  { totp, ...document }: z.infer<typeof sequenceSchema>,
  directory: string,
): SequenceConfig {
  return {
    hasTotp: document.schemes.includes('totp'),
    files: document.schemes.filter((name) => name !== 'totp'),
    source: document.source,
    group: document.group,
    log: { file: resolve(directory, document.log_file), prefix: document.log_prefix },
    budget: document.budget,
    windowMs: document.window,
    ignoreMs: document.ignore,
    packetsPerSecond: document.packets_per_second,
    sourcePacketsPerSecond: document.source_packets_per_second,
    totp: { protocol: totp.protocol, ...totp.ports, count: totp.knocks },
  };
}

/** What a schema cannot see: ranges that are too narrow, and watched ports that are needed open. */
export function sequenceTroubles(config: ServerConfig): readonly Trouble[] {
  const { totp, hasTotp } = config.sequence;
  const path = ['sequence', 'totp', 'ports'];
  if (sliceWidth(totp) < MIN_SLICE) {
    return [{ path, expected: `at least ${String(totp.count * MIN_SLICE)} ports` }];
  }
  if (!hasTotp) return [];
  return portsInUse(config)
    .filter(({ protocol, port }) => isWithin(totp, protocol, port))
    .map(({ protocol, port, holder }) => ({
      path,
      expected: `ports without ${protocol}/${String(port)}, which is in '${holder}'`,
    }));
}

/** A port that cannot be shut, and what it is for. */
interface PortInUse {
  readonly protocol: Protocol;
  readonly port: number;
  readonly holder: string;
}

/** The ports that knocks and services need open. */
export function portsInUse({
  listen,
  fwknop,
  sknock,
  gate,
  services,
}: ServerConfig): readonly PortInUse[] {
  const held = (
    protocol: Protocol,
    holder: string,
    endpoints: ServerConfig['listen'],
  ): readonly PortInUse[] => endpoints.map(({ port }) => ({ protocol, port, holder }));
  return [
    ...held('udp', 'listen', listen),
    ...held('udp', 'fwknop.listen', fwknop.enabled ? fwknop.listen : []),
    ...held('udp', 'sknock.listen', sknock?.listen ?? []),
    ...held('tcp', 'gate.listen', gate.listen),
    ...[...services.values()].flatMap(({ name, ports }) =>
      ports.map((each) => ({ ...each, holder: name })),
    ),
  ];
}

function isWithin(shape: SequenceShape, protocol: Protocol, port: number): boolean {
  return shape.protocol === protocol && port >= shape.first && port <= shape.last;
}
