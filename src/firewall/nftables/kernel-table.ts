import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { formatServicePort, type IpAddress, type ServicePort } from '../../units/network.ts';
import { type Connection, connectionsTo, formatConnection } from './connections.ts';
import { NftConsole, type NftConsoleOptions } from './console.ts';
import { denied, type Fault } from './faults.ts';
import { renderForget, renderKeep, renderOpen } from './grant-commands.ts';
import type { HeldGrants } from './held-grants.ts';
import {
  type Family,
  FIRST_LANES,
  type LaneCount,
  MAX_LANES,
  type Row,
  spentName,
  TABLE,
  type TableOptions,
} from './layout.ts';
import { runOnce } from './once.ts';
import { parseSpent } from './port-door.ts';
import { inLines } from './lines.ts';
import {
  firstLayout,
  renderCheck,
  renderInstall,
  renderLanes,
  renderProtect,
  renderRemoval,
  renderShut,
} from './table.ts';

/** When nft has ended or is silent, it is started again after these, and then no more. */
const RETRY_AFTER_MS = [0, 100, 500];

/** The kernel refuses additions with EBUSY for a moment when one key is used up and added again very quickly. */
const BUSY_AFTER_MS = [1, 2, 4, 8, 16, 32, 64, 128];

export interface KernelTableOptions extends NftConsoleOptions {
  readonly table: TableOptions;
}

/** Owns our table in the kernel, and puts it back when somebody has flushed it. */
export class KernelTable {
  readonly #console: NftConsole;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #held: HeldGrants;
  readonly #options: TableOptions;
  readonly #command: readonly string[];
  /** Connections that were there before their port was protected, and were not cut since. */
  readonly #before = new Set<string>();
  /** How many lanes there are, where there are more than at first; by row and family. */
  readonly #grown = new Map<string, number>();
  #ports: readonly ServicePort[] = [];

  constructor(options: KernelTableOptions, held: HeldGrants) {
    this.#console = new NftConsole(options);
    this.#clock = options.clock;
    this.#log = options.log;
    this.#held = held;
    this.#options = options.table;
    this.#command = options.command;
  }

  /**
   * Puts the table in place of any that an earlier run left.
   * @throws {HknockError} `host`
   */
  async install(ports: readonly ServicePort[]): Promise<void> {
    try {
      const fault = await this.#console.run(renderInstall(ports, firstLayout(this.#options)));
      if (fault !== null) throw unusable(fault);
      this.#before.clear();
      this.#grown.clear();
      await this.#keepAll(ports);
    } catch (error) {
      await this.#console.end();
      throw error;
    }
    this.#ports = ports;
  }

  /** @throws {HknockError} `firewall` or `host` when the ports protected are still those of before */
  async protect(ports: readonly ServicePort[]): Promise<void> {
    throwIf(await this.change(renderProtect(ports)));
    const known = new Set(this.#ports.map(formatServicePort));
    this.#ports = ports;
    await this.#keepAll(ports.filter((port) => !known.has(formatServicePort(port))));
  }

  /**
   * Has the kernel take all commands or none, whatever happens to nft or to the table in between. The commands may
   * be sent twice, and must mean the same then.
   * @returns what the kernel has against them, or null when they are in force
   * @throws {HknockError} `host` when nft cannot be kept running
   */
  async change(commands: readonly string[]): Promise<Fault | null> {
    const fault = await this.#insist(commands);
    if (fault?.kind !== 'missing' || (await this.#isThere())) return fault;
    await this.#installAgain();
    return this.#insist(commands);
  }

  /** How many lanes there are in a row, for a family. */
  readonly lanes = (row: Row, family: Family): number =>
    this.#grown.get(`${row}${String(family)}`) ?? FIRST_LANES[row];

  /** Doubles the lanes, or makes the first. @returns what the kernel has against that, null when they are there, 'most' when there can be no more */
  async addLanes(row: Row, family: Family): Promise<Fault | 'most' | null> {
    const wanted = Math.max(1, this.lanes(row, family) * 2);
    if (wanted > MAX_LANES[row]) return 'most';
    const lanes: LaneCount = (...kind) =>
      kind[0] === row && kind[1] === family ? wanted : this.lanes(...kind);
    const fault = await this.change(renderLanes(family, { ...this.#options, lanes }));
    if (fault === null) this.#grown.set(`${row}${String(family)}`, wanted);
    return fault;
  }

  /** Looks whether the table is there, and puts it back if not. */
  async check(): Promise<void> {
    await this.change(renderCheck(this.#ports));
  }

  /** Has nft read all sets, when they are not as it knows them, so that the next change need not wait for that. */
  readAhead(): void {
    this.#console.runAhead(renderCheck(this.#ports));
  }

  /** The sources that have guessed too often at ports of grants. */
  async spentSources(family: Family): Promise<readonly IpAddress[]> {
    if (this.lanes('port', family) === 0) return [];
    const [program = 'nft', ...args] = this.#command;
    const set = [...TABLE.split(' '), spentName(family)];
    return parseSpent((await runOnce(program, [...args, 'list', 'set', ...set])).stdout);
  }

  /** Lets go of connections that were there before their port was protected. */
  async forget(connections: readonly Connection[]): Promise<void> {
    for (const each of connections) this.#before.delete(formatConnection(each));
    const changes = connections.map((each) => ({ commands: renderForget(each) }));
    for (const line of inLines(changes)) {
      throwIf(await this.change(line.flatMap(({ commands }) => commands)));
    }
  }

  /** @throws {HknockError} `firewall` or `host` when the rules could not be changed */
  async end(leave: 'open' | 'shut'): Promise<void> {
    try {
      const commands = leave === 'open' ? renderRemoval() : renderShut(this.lanes);
      throwIf(await (leave === 'open' ? this.#insist(commands) : this.change(commands)));
    } finally {
      await this.#console.end();
    }
  }

  async #insist(commands: readonly string[]): Promise<Fault | null> {
    for (const delayMs of BUSY_AFTER_MS) {
      const fault = await this.#ask(commands);
      if (fault?.kind !== 'busy') return fault;
      await this.#pause(delayMs);
    }
    return this.#ask(commands);
  }

  async #ask(commands: readonly string[], attempt = 0): Promise<Fault | null> {
    try {
      return await this.#console.run(commands);
    } catch (error) {
      const delayMs = RETRY_AFTER_MS[attempt];
      if (delayMs === undefined) throw error;
      await this.#pause(delayMs);
      return this.#ask(commands, attempt + 1);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(delayMs, resolve));
  }

  async #isThere(): Promise<boolean> {
    if (this.#ports.length === 0) return false;
    return (await this.#insist(renderCheck(this.#ports)))?.kind !== 'missing';
  }

  // Grants for one connection are not put back: it may have come already. Strangers came in while the table was gone:
  // of those that are connected now, only who was let in before may stay.
  async #installAgain(): Promise<void> {
    this.#log.warn('our firewall table was gone and is put back');
    const nowMs = this.#clock.monotonicMs();
    const grants = this.#held
      .all()
      .filter((held) => held.admission === 'address' && held.endsAt > nowMs);
    const opens = grants.map((held) => renderOpen(held, held.ports, held.endsAt - nowMs));
    await this.#changeAll([
      renderInstall(this.#ports, {
        ...this.#options,
        lanes: this.lanes,
        established: 'ours',
      }),
      ...opens,
    ]);
    const connections = await this.#connections(this.#ports);
    const old = connections.filter((each) => this.#before.has(formatConnection(each)));
    await this.#changeAll(old.map(renderKeep));
  }

  // after the ports were shut, so that no connection is made in between
  async #keepAll(ports: readonly ServicePort[]): Promise<void> {
    const connections = await this.#connections(ports);
    for (const each of connections) this.#before.add(formatConnection(each));
    await this.#changeAll(connections.map(renderKeep));
  }

  async #connections(ports: readonly ServicePort[]): Promise<readonly Connection[]> {
    const pid = this.#console.pid;
    return pid === null ? [] : connectionsTo(ports, pid);
  }

  async #changeAll(changes: readonly (readonly string[])[]): Promise<void> {
    for (const line of inLines(changes.map((commands) => ({ commands })))) {
      const fault = await this.#insist(line.flatMap(({ commands }) => commands));
      if (fault !== null) this.#log.error('firewall refused', { fault: fault.message });
    }
  }
}

/** What the caller of the firewall is told of a fault. */
export function faultError({ kind, message }: Fault): HknockError {
  if (kind === 'denied') return denied(message);
  if (kind === 'full') return new HknockError('limit', 'the firewall has no room for more grants');
  return new HknockError('firewall', `the firewall refused: ${message}`);
}

function throwIf(fault: Fault | null): void {
  if (fault !== null) throw faultError(fault);
}

/** Why the kernel does not take our table. */
export function unusable(fault: Fault): HknockError {
  if (fault.kind === 'denied') return denied(fault.message);
  return new HknockError('host', `nftables does not take our table: ${fault.message}`, {
    hint: "it needs nftables 1.0.6 and Linux 5.10 or newer; without them use the 'userspace' firewall",
  });
}
