import type { FwknopKeys } from '../../store/fwknop-key-text.ts';
import { type PeerName, parsePeerName, type ServiceName } from '../../units/names.ts';
import { formatServicePort, includesPort, type ServicePort } from '../../units/network.ts';
import type { DurationMs, UnixMs } from '../../units/time.ts';
import { lossOf } from './access-losses.ts';
import { takeKeys } from './keys.ts';
import { readPorts } from './ports.ts';
import { type Entry, type Note, Notes, Stanza, type Tell } from './stanza.ts';

/** What one stanza comes to. */
interface AccessPeer {
  readonly name: PeerName;
  readonly fwknop: FwknopKeys;
  /** At least one. */
  readonly services: readonly ServiceName[];
  readonly ttlMs: DurationMs;
}

export interface CarriedAccess {
  readonly peers: readonly AccessPeer[];
  /** Services that the peers name and that there are not yet. */
  readonly services: ReadonlyMap<ServiceName, ServicePort>;
  readonly notes: readonly Note[];
}

/** What is there already. */
export interface AccessContext {
  readonly services: ReadonlyMap<ServiceName, readonly ServicePort[]>;
  readonly peers: readonly { readonly name: PeerName; readonly fwknop?: FwknopKeys }[];
  /** What stanzas may open that do not say what. */
  readonly unnamed: readonly ServiceName[];
  readonly unixMs: UnixMs;
}

/** fwknopd's own default. */
const ACCESS_TIMEOUT_S = 30;

const MAX_TTL_S = 86_400;

/** Turns the entries of an access.conf into peers: one for each stanza. */
export function carryOverAccess(entries: readonly Entry[], context: AccessContext): CarriedAccess {
  const notes = new Notes();
  const carrier = new Carrier(context, notes.tell);
  const peers = stanzasOf(entries, notes.tell).flatMap((each) => carrier.carry(each) ?? []);
  return { peers, services: carrier.added, notes: notes.all() };
}

function stanzasOf(entries: readonly Entry[], tell: Tell): readonly Stanza[] {
  const starts = entries.flatMap(({ key }, at) => (key === 'SOURCE' ? [at] : []));
  for (const each of entries.slice(0, starts[0])) tell(each, 'it stands under no SOURCE');
  return starts.flatMap((start, at) => {
    const [source, ...own] = entries.slice(start, starts[at + 1]);
    return source === undefined ? [] : [new Stanza(source.value.trim(), source, own)];
  });
}

class Carrier {
  /** Services that have to be made. */
  readonly added = new Map<ServiceName, ServicePort>();
  readonly #context: AccessContext;
  readonly #tell: Tell;
  readonly #taken: AccessContext['peers'][number][];

  constructor(context: AccessContext, tell: Tell) {
    this.#context = context;
    this.#tell = tell;
    this.#taken = [...context.peers];
  }

  /** The peer of a stanza; null, with the reason told, when nothing of it can be carried over. */
  carry(stanza: Stanza): AccessPeer | null {
    const fwknop = takeKeys(stanza, this.#tell);
    if (fwknop === null || this.#isOver(stanza) || this.#isTaken(stanza, fwknop)) return null;
    const services = this.#services(stanza);
    const ttlMs = this.#ttl(stanza);
    const name = this.#name(stanza);
    this.#tellLosses(stanza);
    if (services.length === 0) {
      this.#tell(stanza.place, 'the stanza is left out: there is nothing that it may open');
      return null;
    }
    const peer = { name, fwknop, services, ttlMs };
    this.#taken.push(peer);
    return peer;
  }

  /** What has ended must not begin again. */
  #isOver(stanza: Stanza): boolean {
    const date = stanza.take('ACCESS_EXPIRE');
    const entry = stanza.take('ACCESS_EXPIRE_EPOCH') ?? date;
    if (entry === null) return false;
    const [, month = '', day = '', year = ''] =
      /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(entry.value.trim()) ?? [];
    const endsAt = entry === date ? Date.UTC(+year, +month - 1, +day) : Number(entry.value) * 1000;
    if (endsAt > this.#context.unixMs) {
      this.#tell(entry, 'it does not end by itself here: hknock peer revoke it then');
      return false;
    }
    this.#tell(entry, 'the stanza is left out: it is over');
    return true;
  }

  /** A packet does not say whose it is, so no two may have one key. */
  #isTaken({ place }: Stanza, { hmacKey }: FwknopKeys): boolean {
    const twin = this.#taken.find(
      ({ fwknop }) => fwknop && Buffer.from(fwknop.hmacKey).equals(hmacKey),
    );
    if (twin !== undefined)
      this.#tell(place, `the stanza is left out: peer '${twin.name}' has its HMAC key`);
    return twin !== undefined;
  }

  #services(stanza: Stanza): readonly ServiceName[] {
    const open = stanza.take('OPEN_PORTS');
    const restrict = stanza.take('RESTRICT_PORTS');
    const restricted = restrict === null ? [] : readPorts(restrict, this.#tell);
    const ports = open === null ? [] : readPorts(open, this.#tell);
    const wanted =
      open === null
        ? this.#context.unnamed
        : ports
            .filter((port) => !includesPort(restricted, port))
            .map((port) => this.#serviceOf(port));
    return [...new Set(wanted)].filter((name) => {
      const all = this.#portsOf(name);
      const forbidden = all.filter((port) => includesPort(restricted, port));
      const more = all.filter((port) => open !== null && !includesPort(ports, port));
      if (more.length > 0 && forbidden.length === 0)
        this.#tell(open ?? stanza.place, `with service '${name}' it may open ${list(more)} too`);
      if (forbidden.length > 0)
        this.#tell(
          restrict ?? stanza.place,
          `it may not open service '${name}', which has ${list(forbidden)}`,
        );
      return forbidden.length === 0;
    });
  }

  #serviceOf(port: ServicePort): ServiceName {
    const known = [...this.#context.services].find(([, ports]) => includesPort(ports, port))?.[0];
    if (known !== undefined) return known;
    const name = `${port.protocol}-${String(port.port)}` as ServiceName;
    this.added.set(name, port);
    return name;
  }

  #portsOf(name: ServiceName): readonly ServicePort[] {
    const added = this.added.get(name);
    return added === undefined ? (this.#context.services.get(name) ?? []) : [added];
  }

  #ttl(stanza: Stanza): DurationMs {
    const entry = stanza.take('FW_ACCESS_TIMEOUT');
    const seconds = Number(entry?.value ?? ACCESS_TIMEOUT_S);
    const isUsable = Number.isInteger(seconds) && seconds >= 1;
    const kept = isUsable ? Math.min(seconds, MAX_TTL_S) : ACCESS_TIMEOUT_S;
    if (entry !== null && kept !== seconds) this.#tell(entry, `it is ${String(kept)} seconds now`);
    return (kept * 1000) as DurationMs;
  }

  /** What the user is called if the stanza says it, or else a number. */
  #name(stanza: Stanza): PeerName {
    const entry = stanza.take('REQUIRE_USERNAME');
    const user = entry?.value.trim() ?? '';
    const isFree = (name: string): boolean => this.#taken.every((each) => each.name !== name);
    if (entry !== null) this.#tell(entry, 'what a packet says of its user decides nothing');
    if (
      /^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(user) &&
      !user.startsWith('cert-') &&
      isFree(user)
    )
      return parsePeerName(user);
    let number = 1;
    while (!isFree(`fwknop-${String(number)}`)) number++;
    return parsePeerName(`fwknop-${String(number)}`);
  }

  #tellLosses(stanza: Stanza): void {
    if (stanza.name.toUpperCase() !== 'ANY')
      this.#tell(stanza.place, 'packets that come from anywhere count');
    if ((stanza.takeWord('REQUIRE_SOURCE_ADDRESS') ?? 'N').toUpperCase() !== 'Y')
      this.#tell(
        stanza.place,
        'packets that name no address (fwknop -s) are refused: see accept_any_source in hknock.toml',
      );
    for (const entry of stanza.left()) {
      const loss = lossOf(entry.key, entry.value.trim());
      if (loss !== null) this.#tell(entry, loss);
    }
  }
}

function list(ports: readonly ServicePort[]): string {
  return ports.map(formatServicePort).join(', ');
}
