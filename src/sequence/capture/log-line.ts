import { parseAddress } from '../../bytes/address.ts';
import { flagsNamed, hasFlags, SYN_FLAGS } from '../../units/tcp-flags.ts';
import type { Ignored } from './ignored.ts';
import { echoPort, type Packet } from './packet.ts';

/** A line that is not from our firewall rule. */
export type Foreign = 'foreign';

/**
 * The kernel's own words in a line of syslog: behind time, host and the tag `kernel:`. Looked for at the line's beginning
 * and nowhere else, because other programs write into the same file what strangers tell them.
 */
const kernelLine =
  /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,+Z-]+) \S+ kernel: (?:\[ *\d+\.\d+\] ?)?(.*)$/;

/** Longest line that is looked at; with all its options a logged SYN takes some 500. */
export const MAX_LINE_LENGTH = 2048;

/**
 * Reads one line of the iptables LOG target's format (`nft` writes the same with `log prefix`).
 * @param prefix what the rule writes before `IN=`
 */
export function parseLogLine(line: string, prefix: string): Packet | Ignored | Foreign {
  if (line.length > MAX_LINE_LENGTH) return 'foreign';
  const said = kernelLine.exec(line)?.[1];
  return said === undefined ? 'foreign' : parseKernelWords(said, prefix);
}

/** A message of the kernel's log, as one read of `/dev/kmsg` gives it (Linux, Documentation/ABI/testing/dev-kmsg). */
export interface KernelRecord {
  /** Counts all messages; those between two that are read have been lost. */
  readonly number: number;
  readonly packet: Packet | Ignored | Foreign;
}

/**
 * Reads one record of `/dev/kmsg`: priority, number, time and flags, then the message. Those of programs are foreign: the kernel
 * lets nobody else write with facility 0.
 * @returns null when it is no record
 */
export function parseKernelRecord(text: string, prefix: string): KernelRecord | null {
  const [, priority, number, said] = /^(\d+),(\d+),\d+,[^;]*;([^\n]*)/.exec(text) ?? [];
  if (said === undefined) return null;
  const isKernels = Number(priority) >> 3 === 0;
  return { number: Number(number), packet: isKernels ? parseKernelWords(said, prefix) : 'foreign' };
}

function parseKernelWords(said: string, prefix: string): Packet | Ignored | Foreign {
  if (!said.startsWith(`${prefix}IN=`)) return 'foreign';
  const fields = fieldsOf(said.slice(prefix.length));
  return fields === null ? 'malformed' : toPacket(fields);
}

type Fields = ReadonlyMap<string, string>;

// null when a key stands there twice: then one of the two is somebody's invention
function fieldsOf(text: string): Fields | null {
  // behind the bracket is the packet that an ICMP error quotes
  const [own = ''] = text.replace(tcpOptions, '').split(' [', 1);
  const fields = new Map<string, string>();
  for (const word of own.split(' ').filter((each) => each !== '')) {
    const at = word.indexOf('=');
    const [key, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    if (fields.has(key) && !repeatable.has(key)) return null;
    fields.set(key, value);
  }
  const options = tcpOptions.exec(text)?.[1];
  return options === undefined ? fields : fields.set('OPT', options);
}

const tcpOptions = / OPT \(([0-9A-F]*)\)/;

/** IP and UDP both write their length, IP and ICMP both an identification. */
const repeatable = new Set(['LEN', 'ID']);

function toPacket(fields: Fields): Packet | Ignored {
  const host = hostOf(fields);
  if (host === null) return 'malformed';
  if (fields.has('MF') || fields.has('FRAG')) return 'fragment';
  switch (fields.get('PROTO')) {
    case 'TCP':
      return toSegment(fields, host);
    case 'UDP':
      return toPorts(fields, { protocol: 'udp', ...host, tcpFlags: null, syn: null });
    case 'ICMP':
    case 'ICMPv6':
      return toEcho(fields, host);
    default:
      return 'other';
  }
}

type Host = Pick<Packet, 'source' | 'destination' | 'ttl'>;

function hostOf(fields: Fields): Host | null {
  const source = parseAddress(fields.get('SRC') ?? '');
  const destination = parseAddress(fields.get('DST') ?? '');
  const ttl = numberOf(fields.get('TTL') ?? fields.get('HOPLIMIT'), 255);
  return source === null || destination === null || ttl === null
    ? null
    : { source, destination, ttl };
}

function toSegment(fields: Fields, host: Host): Packet | Ignored {
  const window = numberOf(fields.get('WINDOW'), 65_535);
  // what the kernel writes behind the flags: in a line that was cut some of them may be missing
  if (window === null || !fields.has('URGP')) return 'malformed';
  const tcpFlags = flagsNamed((word) => fields.has(word));
  if (!hasFlags(tcpFlags, SYN_FLAGS)) {
    return toPorts(fields, { protocol: 'tcp', ...host, tcpFlags, syn: null });
  }
  const options = Uint8Array.from(Buffer.from(fields.get('OPT') ?? '', 'hex'));
  const length = numberOf(fields.get('LEN'), 65_535);
  if (length === null) return 'malformed';
  const syn = { window, dontFragment: fields.has('DF'), length, options };
  return toPorts(fields, { protocol: 'tcp', ...host, tcpFlags, syn });
}

function toPorts(fields: Fields, rest: Omit<Packet, 'port' | 'sourcePort'>): Packet | Ignored {
  const sourcePort = numberOf(fields.get('SPT'), 65_535);
  const port = numberOf(fields.get('DPT'), 65_535);
  return sourcePort === null || port === null ? 'malformed' : { ...rest, sourcePort, port };
}

function toEcho(fields: Fields, host: Host): Packet | Ignored {
  const echo = fields.get('PROTO') === 'ICMP' ? '8' : '128';
  if (fields.get('TYPE') !== echo || fields.get('CODE') !== '0') return 'other';
  const [identifier = null, number = null] = [fields.get('ID'), fields.get('SEQ')].map((each) =>
    numberOf(each, 65_535),
  );
  if (identifier === null || number === null) return 'malformed';
  const ports = { sourcePort: echoPort(identifier, number), port: 0 };
  return { protocol: 'icmp', ...host, ...ports, tcpFlags: null, syn: null };
}

function numberOf(text: string | undefined, max: number): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}
