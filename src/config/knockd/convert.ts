import { HknockError } from '../../errors/hknock-error.ts';
import type { SchemeContext } from '../../sequence/scheme-context.ts';
import type { PeerName, ServiceName } from '../../units/names.ts';
import { formatServicePort, type ServicePort } from '../../units/network.ts';
import { decodeScheme } from '../scheme-files.ts';
import { type Door, readDoor } from './door.ts';
import { type Note, readSections } from './sections.ts';

export interface Carried {
  /** Schemes of kind `fixed`, each with the text of its file. */
  readonly schemes: readonly { readonly name: string; readonly text: string }[];
  /** What was not carried over, or is not quite the same, in the order of the lines. */
  readonly notes: readonly Note[];
  /** Services that the schemes name and that there are not yet. */
  readonly services: ReadonlyMap<ServiceName, ServicePort>;
}

/** Global options that say nothing about who is let in. */
const logging = new Set(['usesyslog', 'logfile', 'pidfile']);

/** Turns a knockd.conf into schemes of fixed mapping: a door that opens a port, with the one that closes it again. */
export function carryOver(
  text: string,
  { peer, serviceOf }: Pick<SchemeContext, 'peer' | 'serviceOf'>,
): Carried {
  const { sections, notes: strange } = readSections(text);
  const notes = [...strange];
  const note = (each: Note): void => void notes.push(each);
  const doors: Door[] = [];
  for (const section of sections) {
    if (section.name.toLowerCase() === 'options') {
      for (const { key, line } of section.entries) note({ line, sentence: optionLoss(key) });
    } else {
      const door = readDoor(section, note);
      if (door !== null) doors.push(door);
    }
  }
  const services = new Map<ServiceName, ServicePort>();
  const nameOf = (port: ServicePort): ServiceName => {
    const known = serviceOf(port);
    const name = known ?? (`${port.protocol}-${String(port.port)}` as ServiceName);
    if (known === null) services.set(name, port);
    return name;
  };
  const schemes = pairs(doors, note).flatMap(({ open, close }, at, all) => {
    const taken = all.slice(0, at).map((each) => schemeName(each.open.name));
    const own = schemeName(open.name);
    const name = taken.includes(own) ? `${own.slice(0, 28)}-${String(at + 1)}` : own;
    const scheme = { name, text: render({ open, close }, peer, nameOf(open.port)) };
    return isUsable(scheme, { note, line: open.line }) ? [scheme] : [];
  });
  return { schemes, notes: notes.sort((a, b) => a.line - b.line), services };
}

interface Pair {
  readonly open: Door;
  readonly close: Door | null;
}

/** Each door that opens, with the first that closes the same port. */
function pairs(doors: readonly Door[], note: (note: Note) => void): readonly Pair[] {
  const closing = doors.filter(({ action }) => action === 'close');
  const found = doors
    .filter(({ action }) => action === 'open')
    .map((open): Pair => {
      const wanted = formatServicePort(open.port);
      const at = closing.findIndex(
        ({ port, flags }) => formatServicePort(port) === wanted && flags === open.flags,
      );
      return { open, close: at < 0 ? null : (closing.splice(at, 1)[0] ?? null) };
    });
  for (const { line } of closing) {
    note({ line, sentence: 'the door is left out: no door opens what it closes' });
  }
  return found;
}

function render({ open, close }: Pair, peer: PeerName, service: ServiceName): string {
  const list = (ports: readonly ServicePort[]): string =>
    `[${ports.map((port) => `"${formatServicePort(port)}"`).join(', ')}]`;
  return `# From knockd.conf: ${[open.name, close?.name]
    .filter((name) => name !== undefined)
    .map((name) => `[${name}]`)
    .join(' and ')}. Keep this file secret: whoever has it can knock.
kind = "fixed"
peer = "${peer}"
service = "${service}"
open = ${list(open.sequence)}
${close === null ? '' : `close = ${list(close.sequence)}\n`}seq_timeout = "${open.seqTimeout}"
${open.flags === null ? '' : `tcpflags = "${open.flags}"\n`}${open.lifetime === null ? '' : `lifetime = "${open.lifetime}"\n`}`;
}

function isUsable(
  { name, text }: { readonly name: string; readonly text: string },
  { note, line }: { readonly note: (note: Note) => void; readonly line: number },
): boolean {
  try {
    decodeScheme(text, { file: `${name}.toml`, code: 'bad-input', content: 'secret' });
    return true;
  } catch (fault) {
    if (!(fault instanceof HknockError)) throw fault;
    note({ line, sentence: `the door is left out: ${fault.message}` });
    return false;
  }
}

/** A name that a scheme's file can have. */
function schemeName(door: string): string {
  const name = door.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const trimmed = name.replaceAll(/^-+/g, '').slice(0, 32);
  return trimmed === '' || trimmed === 'totp' ? 'knockd' : trimmed;
}

function optionLoss(key: string): string {
  if (logging.has(key)) return 'hknock logs to standard error, and keeps no PID file';
  if (key === 'interface') return 'knocks on all interfaces count';
  return `'${key}' has no counterpart`;
}
