import { parseAddress, familyOf } from '../../bytes/address.ts';
import type { FwknopProfile } from '../../store/fwknop-key-text.ts';
import { parseHost } from '../../store/host-name.ts';
import { isProfileName, type Profile } from '../../store/profile.ts';
import { type PeerName, parseServiceName } from '../../units/names.ts';
import { isPort, MAX_SERVICE_PORTS, type Port } from '../../units/network.ts';
import { takeKeys } from './keys.ts';
import { readPorts } from './ports.ts';
import { rcLossOf } from './rc-losses.ts';
import { type Entry, type Note, Notes, Stanza, type Tell } from './stanza.ts';

export interface CarriedRc {
  readonly profiles: readonly Profile[];
  readonly notes: readonly Note[];
}

/** fwknopd's. */
const SPA_PORT = 62_201 as Port;

/** All that a stanza asks for in one packet. */
const service = parseServiceName('access');

const none = new Uint8Array(0);

/** Whether a text is a .fwknoprc, which has sections, and no access.conf. */
export function isRcText(text: string): boolean {
  return /^\s*\[/m.test(text);
}

/** Turns the stanzas of a .fwknoprc into profiles, each with what stands under `[default]`. */
export function carryOverRc(text: string, file: string): CarriedRc {
  const notes = new Notes();
  const profiles = readStanzas(text, file).flatMap((each) => toProfile(each, notes.tell) ?? []);
  return { profiles, notes: notes.all() };
}

function readStanzas(text: string, file: string): readonly Stanza[] {
  const sections: { name: string; line: number; entries: Entry[] }[] = [];
  text.split(/\r?\n/).forEach((raw, at) => {
    const line = at + 1;
    const name = /^\s*\[([^\]]*)\]/.exec(raw)?.[1];
    if (name !== undefined) sections.push({ name: name.trim(), line, entries: [] });
    // up to the next space: so fwknop reads passphrases too
    const [, key = '', value = ''] = /^\s*([^\s[;#]\S*)\s+([^\s;#]+)/.exec(raw) ?? [];
    if (key !== '')
      sections.at(-1)?.entries.push({ file, line, key: key.replace(/:$/, ''), value });
  });
  const isDefault = ({ name }: { readonly name: string }): boolean =>
    name.toLowerCase() === 'default';
  const usual = sections.filter(isDefault).flatMap(({ entries }) => entries);
  return sections
    .filter((each) => !isDefault(each))
    .map(({ name, line, entries }) => new Stanza(name, { file, line }, [...usual, ...entries]));
}

function toProfile(stanza: Stanza, tell: Tell): Profile | null {
  const keys = takeKeys(stanza, tell);
  if (keys === null || !usesHmac(stanza, tell)) return null;
  const aim = aimOf(stanza, tell);
  if (aim === null) return null;
  const port = portOf(stanza, tell);
  const profile: Profile = {
    ...aim,
    port,
    responderId: none,
    tag: none,
    secret: none,
    peer: userOf(stanza, tell),
    expect: [],
    fwknop: { ...keys, port, ...sourceOf(stanza, tell) },
  };
  for (const entry of stanza.left()) {
    const loss = rcLossOf(entry.key, entry.value);
    if (loss !== null) tell(entry, loss);
  }
  return profile;
}

/** What is to be opened and where; null, with the reason told, when that is not said. */
function aimOf(stanza: Stanza, tell: Tell): Pick<Profile, 'name' | 'hosts' | 'services'> | null {
  const { name, place } = stanza;
  const host = parseHost(stanza.take('SPA_SERVER')?.value ?? '');
  const access = stanza.take('ACCESS');
  const ports = access === null ? [] : readPorts(access, tell).slice(0, MAX_SERVICE_PORTS);
  if (host !== null && ports.length > 0 && isProfileName(name))
    return { name, hosts: [host], services: new Map([[service, ports]]) };
  const what = host === null ? 'SPA_SERVER' : ports.length === 0 ? 'ACCESS' : 'name';
  tell(place, `the stanza is left out: it has no ${what} that can be used`);
  return null;
}

function usesHmac(stanza: Stanza, tell: Tell): boolean {
  const gpg = stanza.take('USE_GPG');
  const hmac = stanza.take('USE_HMAC');
  const unfit = isYes(gpg) ? gpg : hmac !== null && !isYes(hmac) ? hmac : null;
  if (unfit !== null) tell(unfit, 'the stanza is left out: packets have an HMAC, and no GnuPG');
  return unfit === null;
}

function isYes(entry: Entry | null): boolean {
  return entry?.value.toUpperCase() === 'Y';
}

function portOf(stanza: Stanza, tell: Tell): Port {
  const entry = stanza.take('SPA_SERVER_PORT');
  const port = Number(entry?.value ?? SPA_PORT);
  if (isPort(port)) return port;
  if (entry !== null) tell(entry, `it is ${String(SPA_PORT)} now`);
  return SPA_PORT;
}

function sourceOf(stanza: Stanza, tell: Tell): Pick<FwknopProfile, 'source'> {
  const entry = stanza.take('ALLOW_IP');
  if (entry === null) return {};
  if (['source', '0.0.0.0'].includes(entry.value.toLowerCase())) return { source: 'any' };
  const source = parseAddress(entry.value);
  if (source !== null && familyOf(source) === 4) return { source };
  tell(entry, 'the address to let in is to be told with --source');
  return {};
}

/** What the packets say of their user. */
function userOf(stanza: Stanza, tell: Tell): PeerName {
  const entry = stanza.take('SPOOF_USER');
  if (entry === null) return 'fwknop' as PeerName;
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(entry.value)) return entry.value as PeerName;
  tell(entry, "packets say 'fwknop' now");
  return 'fwknop' as PeerName;
}
