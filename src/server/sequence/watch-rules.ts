import { HknockError } from '../../errors/hknock-error.ts';
import { applyOnce } from '../../firewall/nftables/apply-once.ts';
import { runOnce } from '../../firewall/nftables/once.ts';
import type { WatchedPorts } from '../../sequence/scheme.ts';

/** Our second table: it watches ports, and the first one opens them. */
const TABLE = 'inet hknock_sequence';

/** Sources whose rate the kernel remembers, of each family; those beyond are limited together only. */
const MAX_SOURCES = 65_536;

/** All headers of a packet, with as many extensions and options as are read. */
const SNAPLEN = 256;

export interface Watch {
  readonly ports: readonly WatchedPorts[];
  /** The log group to which packets go. */
  readonly group: number;
  readonly packetsPerSecond: number;
  /** For one IPv4 address or IPv6 /64. */
  readonly sourcePacketsPerSecond: number;
}

/**
 * The rules that keep ports shut and hand packets to them on to a log group, in place of whatever an earlier run of ours left.
 * They stand before the door of the services and before the usual filters: those never see what is watched.
 */
export function renderWatch(watch: Watch): string {
  const { group, packetsPerSecond, sourcePacketsPerSecond } = watch;
  const most = (perSecond: number): string =>
    `${String(perSecond)}/second burst ${String(perSecond)} packets`;
  // first each source for itself: one that scans does not crowd out the others
  const perSource = `limit rate over ${most(sourcePacketsPerSecond)}`;
  const inAll = `limit rate over ${most(packetsPerSecond)}`;
  return `${renderUnwatch()}
table ${TABLE} {
  set talkers4 { type ipv4_addr; size ${String(MAX_SOURCES)}; flags dynamic,timeout; timeout 1m; }
  set talkers6 { type ipv6_addr; size ${String(MAX_SOURCES)}; flags dynamic,timeout; timeout 1m; }
  counter over_source_rate { }
  counter over_rate { }
  chain heard {
    update @talkers4 { ip saddr ${perSource} } counter name over_source_rate return
    update @talkers6 { ip6 saddr & ffff:ffff:ffff:ffff:: ${perSource} } counter name over_source_rate return
    ${inAll} counter name over_rate return
    log group ${String(group)} snaplen ${String(SNAPLEN)} queue-threshold 1
  }
  chain shut {
    jump heard
    drop
  }
  chain input {
    type filter hook input priority filter - 20; policy accept;
    ${watch.ports.map(renderPorts).join('\n    ')}
  }
}
`;
}

/** The rules that take it all away, whether or not it is there. */
export function renderUnwatch(): string {
  return `add table ${TABLE}\ndelete table ${TABLE}`;
}

/** Packets that the kernel did not hand on, as the status names them. */
export interface WatchCounts {
  /** Beyond what one source may send. */
  readonly 'over source rate': number;
  /** Beyond what all may send together. */
  readonly 'over rate': number;
}

/** What the rules have counted since they were put there; null when any of them has gone. */
export async function readCounts(): Promise<WatchCounts | null> {
  // terse: without the sources, of which there may be many
  const { stdout } = await runOnce('nft', ['-t', 'list', 'table', ...TABLE.split(' ')]);
  const packets = (counter: string): number =>
    Number(new RegExp(`counter ${counter} \\{\\s*packets (\\d+) `).exec(stdout)?.[1]);
  const counts = {
    'over source rate': packets('over_source_rate'),
    'over rate': packets('over_rate'),
  };
  const isWhole = stdout.includes('jump shut') && stdout.includes('log group');
  return isWhole && Object.values(counts).every(Number.isInteger) ? counts : null;
}

// heard, and answered as ever: nobody is to lose sight of a host because it listens
const ECHO_REQUESTS = 'icmp type echo-request jump heard\n    icmpv6 type echo-request jump heard';

// of UDP new ones only: answers to questions of this host's own may come to any port
function renderPorts({ protocol, first, last, flags }: WatchedPorts): string {
  const range = `${String(first)}-${String(last)}`;
  if (protocol === 'icmp') return ECHO_REQUESTS;
  if (protocol === 'udp') return `udp dport ${range} ct state new jump shut`;
  if (flags === undefined) {
    return `tcp dport ${range} tcp flags & (fin | syn | rst | ack) == syn jump shut`;
  }
  // such segments belong to connections as well: those of this host's own go their way
  const { mask, value } = flags;
  return `tcp dport ${range} tcp flags & ${String(mask)} == ${String(value)} ct state { new, invalid, untracked } jump shut`;
}

/**
 * Has the kernel take all of the rules or none.
 * @throws {HknockError} `host` when nft is missing or without privilege, or the kernel does not take them
 */
export function applyRules(rules: string): Promise<void> {
  return applyOnce([rules], {
    refused: (said, cause) =>
      new HknockError('host', `nft does not take the rules of sequence mode: ${said}`, {
        hint: 'it needs nftables 1.0.6 and Linux 5.10 or newer, with nfnetlink_log',
        cause,
      }),
  });
}
