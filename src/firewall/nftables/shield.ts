import { toHex } from '../../bytes/bytes.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import { applyOnce } from './apply-once.ts';
import { KernelCounters } from './counters.ts';
import {
  SHIELD_TABLE as TABLE,
  type ShieldCounter,
  shieldCounters,
  shieldRules,
  type ShieldRulesOptions,
  shieldTables,
} from './shield-rules.ts';

/** Elements in one run of nft, which takes about a kilobyte of memory for each. */
const AT_ONCE = 32_768;

/** The room is twice what is there, and at least this: a set of the kernel cannot grow. */
const LEAST_ROOM = 65_536;

/** Datagrams by the step that they came to (shield.md, section 2). */
export type ShieldCounts = Readonly<Record<ShieldCounter, number>>;

/**
 * Drops, before the kernel's connection tracking, what comes to the knock ports and does not begin with a known peer tag (P9),
 * and of the rest what is more than the process can judge (shield.md): a flood leaves it the time for others. A table of its own,
 * so that putting the door back does not load a million tags. What comes over loopback, and what goes to other machines, passes.
 */
export class Shield {
  readonly #options: ShieldRulesOptions;
  readonly #nft: readonly string[];
  readonly #counters: KernelCounters<ShieldCounter>;
  #tags = new Set<string>();
  #room = 0;

  /** @param nft program and first arguments */
  constructor(options: ShieldRulesOptions, nft: readonly string[] = ['nft']) {
    this.#options = options;
    this.#nft = nft;
    this.#counters = new KernelCounters(TABLE, shieldCounters, nft);
  }

  /** How many tags get through. */
  get size(): number {
    return this.#tags.size;
  }

  /**
   * Lets these tags through and no others. The first time, and when there is no room for them, the table is made anew; while
   * it is, all datagrams get through.
   * @throws {HknockError} `host` or `firewall`; there is no shield then
   */
  async replace(tags: Iterable<Uint8Array>): Promise<void> {
    const wanted = new Set(Array.from(tags, toHex));
    await this.#orNone(() =>
      wanted.size > this.#room ? this.#install(wanted) : this.#change(wanted),
    );
    this.#tags = wanted;
  }

  /** Null when the table is not there any more. */
  counts(): Promise<ShieldCounts | null> {
    return this.#counters.read();
  }

  /** Puts the table back when it has gone. @throws {HknockError} as `replace` */
  async restore(): Promise<void> {
    await this.#orNone(() => this.#install(this.#tags));
  }

  /** Takes the table away, whether or not it is there. */
  async remove(): Promise<void> {
    this.#room = 0;
    this.#tags = new Set();
    // where it cannot be taken away, it could not be put there either
    await this.#apply([`add table ${TABLE}`, `delete table ${TABLE}`]).catch(() => undefined);
  }

  // half a shield would keep out peers whose tags are missing
  async #orNone(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (fault) {
      await this.remove();
      throw fault;
    }
  }

  // the rules come last: no peer is kept out while its tag is still to come
  async #install(tags: ReadonlySet<string>): Promise<void> {
    const room = Math.max(LEAST_ROOM, 2 * tags.size);
    await this.#apply([
      `add table ${TABLE}`,
      `delete table ${TABLE}`,
      `add table ${TABLE}`,
      `add set ${TABLE} tags { typeof @th,64,64; size ${String(room)}; }`,
      ...shieldTables(this.#options),
    ]);
    await this.#elements('add', [...tags]);
    await this.#apply(shieldRules(this.#options));
    this.#room = room;
  }

  async #change(wanted: ReadonlySet<string>): Promise<void> {
    const old = this.#tags;
    await this.#elements(
      'add',
      [...wanted].filter((tag) => !old.has(tag)),
    );
    await this.#elements(
      'delete',
      [...old].filter((tag) => !wanted.has(tag)),
    );
  }

  async #elements(verb: 'add' | 'delete', tags: readonly string[]): Promise<void> {
    for (let at = 0; at < tags.length; at += AT_ONCE) {
      const some = tags.slice(at, at + AT_ONCE).map((tag) => `0x${tag}`);
      await this.#apply([`${verb} element ${TABLE} tags { ${some.join(', ')} }`]);
    }
  }

  #apply(commands: readonly string[]): Promise<void> {
    return applyOnce(commands, {
      nft: this.#nft,
      refused: (said, cause) => {
        const why = said.slice(0, 200);
        return new HknockError('firewall', `nftables does not take the shield: ${why}`, { cause });
      },
    });
  }
}
