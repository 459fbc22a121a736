import { HknockError } from '../../errors/hknock-error.ts';
import type { Port } from '../../units/network.ts';
import { applyOnce } from './apply-once.ts';
import { KernelCounters } from './counters.ts';
import { hex } from './layout.ts';

const TABLE = 'inet hknock_silent';

/** Room for numbers, those that have run out and are still to be swept away included. */
const ROOM = 1_048_576;

/** Numbers in one run of nft. */
const AT_ONCE = 8192;

/** Sources with a count of wrong numbers; when there are more, those in excess have none of their own. */
const SOURCES = 65_536;

/** Where a number leads, which is what tells the two maps apart. */
export type Way = 'gate' | 'service';

/** A sequence number that may enter once. */
export interface OpenNumber {
  readonly way: Way;
  readonly port: Port;
  readonly sequence: number;
  /** ct mark of the connection that comes in by it. */
  readonly mark: number;
}

export interface SilentTableOptions {
  /** Wrong numbers that are looked at in a day. */
  readonly guessesPerDay: number;
  readonly sourceGuessesPerDay: number;
  /** So long none is looked at when there were more. */
  readonly shutHours: number;
  /** Null when there is no gate. */
  readonly gatePort: Port | null;
  /** Program and first arguments. */
  readonly nft?: readonly string[];
}

const counters = ['admitted', 'to_gate', 'wrong', 'unread'] as const;

/** SYNs to the silent ports, by what became of them. */
export type SilentCounts = Readonly<Record<(typeof counters)[number], number>>;

/**
 * The numbers that may enter, and the rules that take them, in a table of its own (silent.md, section 4). What it lets in has our
 * mark, by which the table `inet hknock` accepts it; about all else that table decides as if this one were not there.
 */
export class SilentTable {
  readonly #options: SilentTableOptions;
  readonly #nft: readonly string[];
  readonly #counters: KernelCounters<(typeof counters)[number]>;

  constructor(options: SilentTableOptions) {
    this.#options = options;
    this.#nft = options.nft ?? ['nft'];
    this.#counters = new KernelCounters(TABLE, counters, this.#nft);
  }

  /**
   * Puts the table in place of any that is there, without a number in it.
   * @throws {HknockError} `host` or `firewall`
   */
  install(ports: readonly Port[]): Promise<void> {
    return this.#apply([
      ...removal,
      `add table ${TABLE}`,
      ...sets,
      ...counters.map((name) => `add counter ${TABLE} ${name}`),
      ...addPorts(ports),
      // for new connections only, and before destinations are changed
      `add chain ${TABLE} arrive { type nat hook prerouting priority dstnat - 10; policy accept; }`,
      `add chain ${TABLE} judge`,
      ...this.#rules().map((rule) => `add rule ${TABLE} ${rule}`),
    ]);
  }

  /** Watches these ports and no others. @throws {HknockError} `host` or `firewall` */
  watch(ports: readonly Port[]): Promise<void> {
    return this.#apply([`flush set ${TABLE} ports`, ...addPorts(ports)]);
  }

  /**
   * Lets numbers in, for so long.
   * @throws {HknockError} `host` or `firewall`; some of them may be in force then
   */
  async add(numbers: readonly OpenNumber[], lifetimeMs: number): Promise<void> {
    const timeout = `timeout ${String(Math.ceil(lifetimeMs))}ms`;
    await this.#inRuns(numbers, (some) => addElements(some, timeout));
  }

  /**
   * Lets numbers in once more, whether or not they have been used, for so long from now on.
   * @throws {HknockError} `host` or `firewall`; some of them may be in force then
   */
  async renew(numbers: readonly OpenNumber[], lifetimeMs: number): Promise<void> {
    const timeout = `timeout ${String(Math.ceil(lifetimeMs))}ms`;
    await this.#inRuns(numbers, (some) => [
      ...addElements(some, timeout),
      ...deleteElements(some),
      ...addElements(some, timeout),
    ]);
  }

  /**
   * Takes numbers back, whether or not they have been used.
   * @throws {HknockError} `host` or `firewall`; some of them may be in force still
   */
  async remove(numbers: readonly OpenNumber[]): Promise<void> {
    // to delete what is not there is an error: in one transaction nothing of what is added is ever in force
    await this.#inRuns(numbers, (some) => [
      ...addElements(some, 'timeout 1s'),
      ...deleteElements(some),
    ]);
  }

  /** Null when the table is not there any more. */
  counts(): Promise<SilentCounts | null> {
    return this.#counters.read();
  }

  /** Takes the table away, whether or not it is there. */
  async end(): Promise<void> {
    // where it cannot be taken away, it could not be put there either
    await this.#apply(removal).catch(() => undefined);
  }

  /** The checks of silent.md, section 4, in their order. */
  #rules(): readonly string[] {
    const { gatePort } = this.#options;
    const toGate =
      gatePort === null ? [] : [`judge ${enter('gate')} to_gate dnat to :${String(gatePort)}`];
    return [
      'arrive iif lo accept',
      'arrive tcp flags & (fin | syn | rst | ack) == syn tcp dport @ports fib daddr type local goto judge',
      ...toGate,
      ...families.map(({ key, id }) => `judge ${key} @spent${id} counter name unread return`),
      'judge meta l4proto @shut counter name unread return',
      `judge ${enter('service')} admitted accept`,
      'judge counter name wrong',
      // first, so that what a source has in excess counts for all as well
      `judge ${this.#over(this.#options.guessesPerDay)} add @shut { meta l4proto ${this.#shutFor} }`,
      ...families.map((family) => this.#sourceLimit(family)),
    ];
  }

  #sourceLimit({ key, id }: (typeof families)[number]): string {
    const limit = this.#over(this.#options.sourceGuessesPerDay);
    return `judge update @tries${id} { ${key} timeout 1d ${limit} } add @spent${id} { ${key} ${this.#shutFor} }`;
  }

  /** In any 24 hours as many as that: half at once, and the other half as the day goes by. */
  #over(perDay: number): string {
    const half = String(Math.floor(perDay / 2));
    return `limit rate over ${half}/day burst ${half} packets`;
  }

  get #shutFor(): string {
    return `timeout ${String(this.#options.shutHours)}h`;
  }

  async #inRuns(
    numbers: readonly OpenNumber[],
    render: (some: readonly OpenNumber[]) => readonly string[],
  ): Promise<void> {
    for (let at = 0; at < numbers.length; at += AT_ONCE) {
      await this.#apply(render(numbers.slice(at, at + AT_ONCE)));
    }
  }

  #apply(commands: readonly string[]): Promise<void> {
    return applyOnce(commands, {
      nft: this.#nft,
      refused: (said, cause) => {
        const why = said.slice(0, 200);
        const message = `nftables does not take the rules of silent mode: ${why}`;
        return new HknockError('firewall', message, { cause });
      },
    });
  }
}

const removal = [`add table ${TABLE}`, `delete table ${TABLE}`];

const KEY = 'tcp dport . tcp sequence';

/** A source as limits go by it. */
const families = [
  { id: '4', key: 'ip saddr', type: 'ipv4_addr' },
  { id: '6', key: 'ip6 saddr & ffff:ffff:ffff:ffff::', type: 'ipv6_addr' },
] as const;

const sets = [
  ...(['gate', 'service'] as const).map(
    (way) =>
      `add map ${TABLE} ${way} { typeof ${KEY} : ct mark; size ${String(ROOM)}; flags timeout,dynamic; }`,
  ),
  ...families.flatMap(({ id, type }) =>
    [`tries${id}`, `spent${id}`].map(
      (name) =>
        `add set ${TABLE} ${name} { type ${type}; size ${String(SOURCES)}; flags timeout,dynamic; }`,
    ),
  ),
  // holds the protocol, which is the same for all, and for a moment the one that has run out
  `add set ${TABLE} shut { type inet_proto; size 8; flags timeout,dynamic; }`,
  `add set ${TABLE} ports { type inet_service; }`,
];

/** Takes a number out and marks its connection, in one rule. */
function enter(way: Way): string {
  return `ct mark set ${KEY} map @${way} delete @${way} { ${KEY} : ct mark } counter name`;
}

function addPorts(ports: readonly Port[]): readonly string[] {
  return ports.length === 0 ? [] : [`add element ${TABLE} ports { ${ports.join(', ')} }`];
}

function addElements(numbers: readonly OpenNumber[], timeout: string): readonly string[] {
  return byWay(numbers, 'add', ({ mark }) => ` ${timeout} : ${hex(mark)}`);
}

function deleteElements(numbers: readonly OpenNumber[]): readonly string[] {
  return byWay(numbers, 'delete', () => '');
}

function byWay(
  numbers: readonly OpenNumber[],
  verb: 'add' | 'delete',
  rest: (number: OpenNumber) => string,
): readonly string[] {
  return (['gate', 'service'] as const).flatMap((way) => {
    const elements = numbers
      .filter((each) => each.way === way)
      .map((each) => `${String(each.port)} . ${String(each.sequence)}${rest(each)}`);
    return elements.length === 0
      ? []
      : [`${verb} element ${TABLE} ${way} { ${elements.join(', ')} }`];
  });
}
