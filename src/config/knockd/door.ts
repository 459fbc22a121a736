import { isPort, type ServicePort } from '../../units/network.ts';
import { parseTcpFlags } from '../../units/tcp-flags.ts';
import { formatDuration, type DurationMs } from '../../units/time.ts';
import { MAX_KNOCKS } from '../../units/sequence-shape.ts';
import { readRule, type Rule } from './rule.ts';
import type { Entry, Note, Section } from './sections.ts';

/** A door of knockd's as far as it has a counterpart. */
export interface Door extends Rule {
  readonly name: string;
  readonly line: number;
  readonly sequence: readonly ServicePort[];
  readonly seqTimeout: string;
  /** How long it stays open; null when knockd never closes it by itself. */
  readonly lifetime: string | null;
  /** Which segments count; null for SYNs. */
  readonly flags: string | null;
}

/** knockd's own defaults, in seconds. */
const SEQ_TIMEOUT = 25;
const CMD_TIMEOUT = 10;

const MIN_KNOCKS = 3;

/** The other names that keys have. */
const aliases: Readonly<Record<string, string>> = {
  timeout: 'seq_timeout',
  command: 'start_command',
  command_6: 'start_command_6',
};

type Tell = (note: Note) => void;

/** Reads a door; null, with the reason among the notes, when nothing of it can be carried over. */
export function readDoor(section: Section, note: Tell): Door | null {
  const keys = new Keys(section);
  const sequence = takeSequence(keys, note);
  const rule = takeRule(keys, note);
  const lifetime = takeLifetime(keys, { rule, note });
  const seqTimeout = seconds(keys.take('seq_timeout'), { usual: SEQ_TIMEOUT, most: 300, note });
  const flags = takeFlags(keys, note);
  for (const { key, line } of keys.left()) note({ line, sentence: lossOf(key) });
  const { name, line } = section;
  return sequence && rule && { ...rule, name, line, sequence, seqTimeout, lifetime, flags };
}

/** The keys of a section, each to be taken once. */
class Keys {
  readonly #section: Section;
  readonly #entries: Map<string, Entry>;

  constructor(section: Section) {
    this.#section = section;
    this.#entries = new Map(
      section.entries.map((entry) => [aliases[entry.key] ?? entry.key, entry] as const),
    );
  }

  take(key: string): Entry | null {
    const entry = this.#entries.get(key) ?? null;
    this.#entries.delete(key);
    return entry;
  }

  /** Where an entry stands; the section's own line when it is missing. */
  lineOf(entry: Entry | null): number {
    return entry?.line ?? this.#section.line;
  }

  left(): Iterable<Entry> {
    return this.#entries.values();
  }
}

function takeSequence(keys: Keys, note: Tell): readonly ServicePort[] | null {
  const entry = keys.take('sequence');
  const sequence = entry && readSequence(entry.value);
  if (sequence !== null) return sequence;
  const sentence = `the door is left out: a sequence has ${String(MIN_KNOCKS)} to ${String(MAX_KNOCKS)} ports`;
  note({ line: keys.lineOf(entry), sentence });
  return null;
}

function takeRule(keys: Keys, note: Tell): Rule | null {
  const entry = keys.take('start_command');
  const rule = entry && readRule(entry.value);
  if (rule !== null) return rule;
  const sentence =
    'the door is left out: it does not let %IP% in to one port, and hknock runs no commands';
  note({ line: keys.lineOf(entry), sentence });
  return null;
}

function takeLifetime(
  keys: Keys,
  { rule, note }: { readonly rule: Rule | null; readonly note: Tell },
): string | null {
  const stop = keys.take('stop_command');
  for (const entry of [stop, keys.take('start_command_6'), keys.take('stop_command_6')]) {
    if (entry === null || isSamePort(readRule(entry.value), rule)) continue;
    note({ line: entry.line, sentence: 'this command is not run: hknock runs no commands' });
  }
  const time = keys.take('cmd_timeout');
  if (stop !== null) return seconds(time, { usual: CMD_TIMEOUT, most: 86_400, note });
  if (rule?.action === 'open') {
    const sentence = 'the door is shut again after the ttl of the service, and not left open';
    note({ line: keys.lineOf(null), sentence });
  }
  return null;
}

function takeFlags(keys: Keys, note: Tell): string | null {
  const entry = keys.take('tcpflags');
  if (entry === null) return null;
  // what begins a connection is what counts when nothing is said
  if (/^syn(,!(ack|rst|fin))*$/i.test(entry.value.replaceAll(' ', ''))) return null;
  if (parseTcpFlags(entry.value) !== null) return entry.value;
  note({ line: entry.line, sentence: 'these are no flags; only SYNs count' });
  return null;
}

/** `7000,8000:udp`; null when it is something else, too short or too long. */
function readSequence(text: string): readonly ServicePort[] | null {
  const ports = text.split(',').map((each): ServicePort | null => {
    const [, digits, protocol = 'tcp'] = /^\s*(\d{1,5})(?::(tcp|udp))?\s*$/i.exec(each) ?? [];
    const port = Number(digits);
    const lower = protocol.toLowerCase() as ServicePort['protocol'];
    return isPort(port) ? { protocol: lower, port } : null;
  });
  const known = ports.filter((each) => each !== null);
  const isWhole = known.length === ports.length;
  return isWhole && known.length >= MIN_KNOCKS && known.length <= MAX_KNOCKS ? known : null;
}

function lossOf(key: string): string {
  switch (key) {
    case 'one_time_sequences':
      return 'its sequences are not carried over';
    case 'target':
      return 'knocks to any address of this server count';
    default:
      return `'${key}' has no counterpart`;
  }
}

interface Bounds {
  readonly usual: number;
  readonly most: number;
  readonly note: Tell;
}

function seconds(entry: Entry | null, { usual, most, note }: Bounds): string {
  const value = entry === null ? usual : Number(entry.value);
  const isUsable = Number.isInteger(value) && value >= 1;
  const kept = isUsable ? Math.min(value, most) : usual;
  if (entry !== null && kept !== value) {
    note({ line: entry.line, sentence: `it is ${String(kept)} seconds now` });
  }
  return formatDuration((kept * 1000) as DurationMs);
}

function isSamePort(a: Rule | null, b: Rule | null): boolean {
  return a !== null && a.port.port === b?.port.port && a.port.protocol === b.port.protocol;
}
