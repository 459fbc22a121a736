import { familyOf } from '../../bytes/address.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Failures, Opening, Transaction } from '../../host/firewall.ts';
import type { GrantId } from '../../units/names.ts';
import type { IpAddress } from '../../units/network.ts';
import { fitsPorts, goesBySource } from '../../units/admission.ts';
import { refuseAdmission } from '../refusals.ts';
import type { Fault } from './faults.ts';
import { renderClose, renderOpen } from './grant-commands.ts';
import type { Held, HeldGrants, KernelOpening } from './held-grants.ts';
import { faultError, type KernelTable } from './kernel-table.ts';
import { kernelAdmissions, rowOf } from './layout.ts';
import { renderForgive } from './port-door.ts';
import { inLines } from './lines.ts';

/** What one grant needs of the kernel: all its commands or none. */
interface Step {
  readonly commands: readonly string[];
  /** Called when the kernel has refused these commands alone. */
  readonly refused: (fault: Fault) => Promise<void>;
  /** Called when nft could not be asked. */
  readonly failed: (error: HknockError) => void;
}

type Fail = (error: HknockError) => void;

/** Makes transactions true in the kernel with as few lines of nft as will do. */
export class GrantChanges {
  readonly #table: KernelTable;
  readonly #held: HeldGrants;
  #steps: Step[] = [];

  constructor(table: KernelTable, held: HeldGrants) {
    this.#table = table;
    this.#held = held;
  }

  /** Gives for each transaction the grants that could not be opened or closed. Does not reject. */
  async apply(transactions: readonly Transaction[]): Promise<readonly Failures[]> {
    const all: Failures[] = [];
    for (const { closes, opens } of transactions) {
      const failures = new Map<GrantId, HknockError>();
      all.push(failures);
      const renewed = new Set(opens.map(({ grant }) => grant));
      for (const grant of closes) {
        if (!renewed.has(grant)) this.#closeHeld(grant, (error) => failures.set(grant, error));
      }
      for (const opening of opens) {
        await this.#open(opening, (error) => failures.set(opening.grant, error));
      }
    }
    await this.#flush();
    return all;
  }

  /** Tries once more to close what could not be closed, or may have been opened against our will. */
  async closeLeftovers(): Promise<void> {
    for (const held of this.#held.takeUnclosed()) this.#close(held, () => undefined);
    await this.#flush();
  }

  /** Closes the grants for `port` of a source that has guessed too often, and lets it begin anew. Gives how many there were. */
  async closeGuessed(source: IpAddress): Promise<number> {
    const grants = this.#held
      .all()
      .filter((held) => held.admission === 'port' && held.source === source);
    for (const { grant } of grants) this.#closeHeld(grant, () => undefined);
    await this.#flush();
    await this.#ask(() => this.#table.change(renderForgive(source)));
    return grants.length;
  }

  #closeHeld(grant: GrantId, fail: Fail): void {
    const held = this.#held.release(grant);
    if (held !== null) this.#close(held, fail);
  }

  #close(held: Held, fail: Fail): void {
    const failed: Fail = (error) => {
      this.#held.noteUnclosed(held);
      fail(error);
    };
    const refused = (fault: Fault): Promise<void> => {
      // a grant with another mark has its place, so it is not there any more
      if (fault.kind !== 'exists') failed(faultError(fault));
      return Promise.resolve();
    };
    this.#steps.push({ commands: renderClose(held, held.ports), refused, failed });
  }

  async #open(opening: Opening, fail: Fail): Promise<void> {
    // a renewal; where the old grant stays open a while longer, its owner may come in all the same
    this.#closeHeld(opening.grant, () => undefined);
    if (!isForKernel(opening)) {
      fail(refuseAdmission(opening));
      return;
    }
    const { free } = this.#held.choose(opening, this.#lanes(opening));
    if (free === null) {
      await this.#flush();
      await this.#openAnywhere(opening, fail);
    } else {
      this.#steps.push(this.#stepFor(opening, this.#held.place(opening, free), fail));
    }
  }

  #stepFor(opening: KernelOpening, held: Held, fail: Fail): Step {
    this.#held.hold(held);
    const failed: Fail = (error) => {
      this.#held.release(held.grant);
      this.#held.noteUnclosed(held);
      fail(error);
    };
    const refused = async (fault: Fault): Promise<void> => {
      this.#held.release(held.grant);
      if (fault.kind === 'exists') await this.#openAnywhere(opening, fail);
      else fail(faultError(fault));
    };
    return { commands: renderOpen(held, held.ports, opening.lifetimeMs), refused, failed };
  }

  /**
   * All lanes look taken, but the kernel may have used up what is in some. It is not asked (to look up one element,
   * nft has it list the whole map): it refuses an element that is there with another mark. Only when it refuses all
   * are there more lanes.
   */
  async #openAnywhere(opening: KernelOpening, fail: Fail, from = 0): Promise<void> {
    const laneCount = this.#lanes(opening);
    const { others, isPeerFull } = this.#held.choose(opening, laneCount);
    for (const lane of others.filter((each) => each >= from)) {
      const held = this.#held.place(opening, lane);
      const fault = await this.#ask(() =>
        this.#table.change(renderOpen(held, held.ports, opening.lifetimeMs)),
      );
      if (fault === null) {
        this.#held.hold(held);
        return;
      }
      if (fault instanceof HknockError) {
        this.#held.noteUnclosed(held);
        fail(fault);
        return;
      }
      if (fault.kind !== 'exists') {
        fail(faultError(fault));
        return;
      }
    }
    const grown = isPeerFull
      ? 'most'
      : await this.#ask(() => this.#table.addLanes(rowOf(opening), familyOf(opening.source)));
    if (grown === null) await this.#openAnywhere(opening, fail, laneCount);
    else if (grown instanceof HknockError) fail(grown);
    else if (grown !== 'most') fail(faultError(grown));
    else fail(new HknockError('limit', 'too many grants wait for the same address and port'));
  }

  #lanes(opening: KernelOpening): number {
    return this.#table.lanes(rowOf(opening), familyOf(opening.source));
  }

  async #flush(): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    for (const some of inLines(steps)) await this.#run(some);
  }

  // when the kernel refuses them together, one by one, so that one bad grant does not take the others down
  async #run(steps: readonly Step[]): Promise<void> {
    const commands = steps.flatMap((step) => step.commands);
    const fault = await this.#ask(() => this.#table.change(commands));
    if (fault === null) return;
    if (fault instanceof HknockError) {
      for (const { failed } of steps) failed(fault);
    } else if (steps.length > 1) {
      for (const step of steps) await this.#run([step]);
    } else {
      await steps[0]?.refused(fault);
    }
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T | HknockError> {
    try {
      return await ask();
    } catch (cause) {
      return new HknockError('firewall', 'nft could not be asked', { cause });
    }
  }
}

function isForKernel(opening: Opening): opening is KernelOpening {
  const { admission, breadth, ports, door } = opening;
  if (!fitsPorts(admission, ports)) return false;
  if (breadth !== undefined && !goesBySource(admission)) return false;
  if ((admission === 'port') !== (door.admissionPort !== null)) return false;
  if ((admission === 'bound') !== (door.initialSequence !== null)) return false;
  return kernelAdmissions.some((each) => each === admission);
}
