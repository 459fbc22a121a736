import {
  type FloodLimit,
  type FloodLimits,
  floodLimits,
  floodMemory,
} from '../../units/flood-limits.ts';
import type { Port } from '../../units/network.ts';

export const SHIELD_TABLE = 'inet hknock_shield';

/** What the shield counts, in the order of its steps. */
export const shieldCounters = [
  'stranger',
  'length',
  'repeated',
  'expected',
  'busy',
  'tag',
  'crowd',
  'unlearned',
] as const;

export type ShieldCounter = (typeof shieldCounters)[number];

/** The lengths of messages, which are all that the kernel can tell them by. */
interface MessageLengths {
  /** To the responder: every length that there is. */
  readonly received: readonly number[];
  /** Of these, what answers a Challenge. */
  readonly response: readonly number[];
  /** From the responder. */
  readonly challenge: number;
  readonly grant: number;
}

export interface ShieldRulesOptions {
  readonly ports: readonly Port[];
  readonly lengths: MessageLengths;
  /** Instead of those of the specification. */
  readonly limits?: FloodLimits;
  /** Entries of each table of what is learned. */
  readonly entries?: number;
}

/** Both families, with their words for whom a limit is for: an address, or the /64 of one of IPv6, its first 8 bytes. */
const families = [
  { name: '4', match: 'ipv4', from: 'ip saddr', to: 'ip daddr', host: 'ip' },
  { name: '6', match: 'ipv6', from: '@nh,64,64', to: '@nh,192,64', host: 'ip6' },
] as const;

type Family = (typeof families)[number];

/** The tables of what is learned from the traffic, and what is counted. The tags stand elsewhere. */
export function shieldTables({
  limits = floodLimits,
  entries = floodMemory.entries,
}: ShieldRulesOptions): readonly string[] {
  const learned = (name: string, key: string, { seconds, limit }: Learned): string =>
    `add set ${SHIELD_TABLE} ${name} { typeof ${key}; flags dynamic,timeout; ` +
    `timeout ${String(seconds)}s; size ${String(entries)};${limit ? ` ${under(limit)};` : ''} }`;
  const { knownSeconds, awaitedSeconds, repeatedSeconds, busySeconds, countedSeconds } =
    floodMemory;
  const counted: Learned = { seconds: countedSeconds };
  return [
    ...shieldCounters.map((name) => `add counter ${SHIELD_TABLE} ${name}`),
    `add limit ${SHIELD_TABLE} allKnown { ${rate(limits.allKnown)} }`,
    `add limit ${SHIELD_TABLE} allAwaited { ${rate(limits.allAwaited)} }`,
    `add limit ${SHIELD_TABLE} allBusy { ${rate(limits.busy)} }`,
    learned('budgets', '@th,64,64 . udp length', counted),
    learned('copies', NONCE, counted),
    learned('repeated', NONCE, { seconds: repeatedSeconds }),
    ...families.flatMap(({ name, from, host }) => [
      learned(`known${name}`, from, { seconds: knownSeconds, limit: limits.known }),
      learned(`awaited${name}`, `${host} saddr . udp sport`, {
        seconds: awaitedSeconds,
        limit: limits.awaited,
      }),
      learned(`sources${name}`, from, counted),
      learned(`busy${name}`, from, { seconds: busySeconds }),
    ]),
  ];
}

interface Learned {
  readonly seconds: number;
  /** Of each entry, asked when it is looked up. */
  readonly limit?: FloodLimit;
}

// 8 bytes that are part of the nonce of all messages to the responder
const NONCE = '@th,192,64';

/** The chains, to be put in when the tables are full (shield.md, section 2). */
export function shieldRules(options: ShieldRulesOptions): readonly string[] {
  const { ports, lengths } = options;
  const knockPorts = `{ ${ports.map(String).join(', ')} }`;
  return [
    ...['knock', ...families.flatMap(({ name }) => [`from${name}`, `learn${name}`])].map(chain),
    ...families.flatMap((family) => familyRules(family, options)),
    ...judgingRules(options),
    // before connection tracking, which would otherwise make an entry for each forged source
    `${chain('before')} { type filter hook prerouting priority raw; policy accept; }`,
    rule('before', 'iif lo accept'),
    rule('before', `udp dport ${knockPorts} fib daddr type local jump knock`),
    `${chain('after')} { type filter hook output priority raw; policy accept; }`,
    ...families.flatMap(({ name, match, to, host }) => {
      const sent = `meta nfproto ${match} udp sport ${knockPorts} udp length`;
      const endpoint = `${host} daddr . udp dport`;
      return [
        rule('after', `${sent} ${udp([lengths.grant])} update @known${name} { ${to} }`),
        rule('after', `${sent} ${udp([lengths.challenge])} update @awaited${name} { ${endpoint} }`),
      ];
    }),
  ];
}

function judgingRules({ lengths, limits = floodLimits }: ShieldRulesOptions): readonly string[] {
  const budget = `@th,64,64 . udp length ${over(limits.tag)}`;
  const copies = `update @copies { ${NONCE} ${over(limits.copies)} } update @repeated { ${NONCE} }`;
  const byFamily = (verdict: string): readonly string[] =>
    families.map(({ name, match }) => `meta nfproto ${match} ${verdict}${name}`);
  return [
    '@th,64,64 != @tags counter name stranger drop',
    `udp length != ${udp(lengths.received)} counter name length drop`,
    `${NONCE} @repeated counter name repeated drop`,
    ...byFamily('jump from'),
    `update @budgets { ${budget} } counter name tag drop`,
    `${over(limits.crowd)} counter name crowd drop`,
    `${copies} counter name repeated drop`,
    `${NONCE} != @copies counter name unlearned`,
    ...byFamily('goto learn'),
  ].map((text) => rule('knock', text));
}

function familyRules(
  { name, from, host }: Family,
  { lengths, limits = floodLimits }: ShieldRulesOptions,
): readonly string[] {
  const endpoint = `${host} saddr . udp sport`;
  const awaited = `udp length ${udp(lengths.response)} ${endpoint} @awaited${name}`;
  const expected = 'counter name expected accept';
  const sources = `update @sources${name} { ${from} ${over(limits.source)} }`;
  return [
    rule(`from${name}`, `${from} @known${name} limit name allKnown ${expected}`),
    rule(`from${name}`, `${awaited} limit name allAwaited ${expected}`),
    // what is over the limit of the busy goes; what is under it takes its chances with the crowd
    rule(`from${name}`, `${from} @busy${name} limit name allBusy return`),
    rule(`from${name}`, `${from} @busy${name} counter name busy drop`),
    rule(`learn${name}`, `${sources} update @busy${name} { ${from} }`),
    rule(`learn${name}`, `${from} != @sources${name} counter name unlearned`),
  ];
}

function chain(name: string): string {
  return `add chain ${SHIELD_TABLE} ${name}`;
}

function rule(into: string, text: string): string {
  return `add rule ${SHIELD_TABLE} ${into} ${text}`;
}

/** Lengths as UDP's header has them, which counts itself. */
function udp(lengths: readonly number[]): string {
  return `{ ${lengths.map((length) => String(length + UDP_HEADER)).join(', ')} }`;
}

const UDP_HEADER = 8;

function rate({ perSecond, burst }: FloodLimit): string {
  return `rate ${String(perSecond)}/second burst ${String(burst)} packets`;
}

function under(limit: FloodLimit): string {
  return `limit ${rate(limit)}`;
}

function over({ perSecond, burst }: FloodLimit): string {
  return `limit rate over ${String(perSecond)}/second burst ${String(burst)} packets`;
}
