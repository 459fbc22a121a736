import { equalConstantTime } from '../crypto/mac.ts';
import type { PeerTable } from '../handshake/peer-table.ts';
import type { PeerRecord } from '../store/peer-file.ts';
import type { PeerName } from '../units/names.ts';

/** Who is gone and whose keys have changed since the last look. */
export interface PeerChanges {
  readonly revoked: readonly PeerRecord[];
  readonly rotated: readonly PeerRecord[];
}

/** The peers of the running server; keeps the responder's table in step with the files. */
export class Peers {
  readonly #table: PeerTable;
  readonly #responderId: Uint8Array;
  #records: ReadonlyMap<PeerName, PeerRecord> = new Map();

  constructor(table: PeerTable, responderId: Uint8Array) {
    this.#table = table;
    this.#responderId = responderId;
  }

  get records(): ReadonlyMap<PeerName, PeerRecord> {
    return this.#records;
  }

  /** Takes over what the files say now. Peers whose keys are the same keep what has been derived from them. */
  update(records: readonly PeerRecord[]): PeerChanges {
    const next = new Map(records.map((record) => [record.name, record]));
    const before = [...this.#records.values()];
    const revoked = before.filter(({ name }) => !next.has(name));
    const rotated = before.filter((old) => {
      const now = next.get(old.name);
      return now !== undefined && !hasSameKeys(old, now);
    });
    for (const { tag } of [...revoked, ...rotated]) this.#table.remove(tag);
    for (const record of records) {
      const old = this.#records.get(record.name);
      if (old === undefined || !hasSameKeys(old, record)) this.#add(record);
    }
    this.#records = next;
    return { revoked, rotated };
  }

  #add({ name, tag, secret }: PeerRecord): void {
    this.#table.add(name, { tag, secret, responderId: this.#responderId });
  }
}

function hasSameKeys(a: PeerRecord, b: PeerRecord): boolean {
  return equalConstantTime(a.tag, b.tag) && equalConstantTime(a.secret, b.secret);
}
