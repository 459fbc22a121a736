import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { Failures, Firewall, Opening, Transaction } from '../../host/firewall.ts';
import type { Log } from '../../host/log.ts';
import type { Admission } from '../../units/admission.ts';
import type { GrantId } from '../../units/names.ts';
import { formatServicePort, type ServicePort } from '../../units/network.ts';
import { later } from '../../units/time.ts';
import { refuseAdmission, refuseAll } from '../refusals.ts';
import { Hole, type HoleCommands } from './hole.ts';
import { run } from './run.ts';
import { Slots } from './slots.ts';
import { environmentOf, factsOf, fillIn } from './words.ts';

/** Commands that run at a time. */
const MAX_RUNNING = 8;

export interface CommandOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Program and arguments that let a source in to one port. */
  readonly open: readonly string[];
  /** The same that shuts it out again; it may be run for what is shut already. */
  readonly close: readonly string[];
  /** After this long a command is killed, and has failed. */
  readonly timeLimitMs: number;
}

/**
 * The operator's own commands as a firewall: `open` and `close`, run once for each port without a shell. In the
 * arguments {address}, {family} (ipv4 or ipv6), {protocol}, {port}, {lifetime} (seconds), {grant}, {peer} and {service}
 * are filled in; the environment has them as HKNOCK_ADDRESS and so on, PATH, and nothing else. The operator's rules
 * must shut the ports to begin with. Connections cannot be cut. `close` is run by this process when a grant ends: if it
 * is killed, a grant stays open unless `open` has made it end by itself after {lifetime}.
 */
export function createCommand(options: CommandOptions): Firewall {
  return new Command(options);
}

interface Live {
  readonly opening: Opening;
  readonly timer: Timer;
}

class Command implements Firewall {
  readonly admissions: readonly Admission[] = ['address'];
  readonly #options: CommandOptions;
  readonly #slots = new Slots(MAX_RUNNING);
  readonly #live = new Map<GrantId, Live>();
  readonly #holes = new Map<string, Hole>();
  readonly #pending = new Set<Promise<unknown>>();
  #running = false;

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const [program = ''] of [this.#options.open, this.#options.close]) await find(program);
    this.#running = true;
  }

  protect(): Promise<void> {
    return Promise.resolve();
  }

  async apply(transaction: Transaction): Promise<Failures> {
    if (!this.#running) return refuseAll(transaction, 'the firewall is not running');
    const failures = new Map<GrantId, HknockError>();
    const renewed = new Set(transaction.opens.map(({ grant }) => grant));
    const closing = transaction.closes.map(async (grant) => {
      const error = await this.#close(grant);
      if (error !== null && !renewed.has(grant)) failures.set(grant, error);
    });
    const opening = transaction.opens.map((each) =>
      this.#open(each).catch((error: unknown) => {
        failures.set(each.grant, asFailure(error));
      }),
    );
    for (const { peer } of transaction.cuts) {
      this.#options.log.warn('connections were not cut: commands cannot', { peer });
    }
    await Promise.all([...closing, ...opening]);
    return failures;
  }

  /** Closes what is open, either way. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const grant of [...this.#live.keys()]) void this.#close(grant);
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  async #open(opening: Opening): Promise<void> {
    if (!this.admissions.includes(opening.admission)) throw refuseAdmission(opening);
    void this.#close(opening.grant);
    const timer = this.#options.clock.after(opening.lifetimeMs, () => {
      void this.#close(opening.grant);
    });
    this.#live.set(opening.grant, { opening, timer });
    const until = later(this.#options.clock.monotonicMs(), opening.lifetimeMs);
    const results = await Promise.allSettled(
      opening.ports.map((port) => {
        const hole = this.#holeFor(opening, port);
        return this.#track(hole.hold(opening.grant, until, this.#commands(opening, port)));
      }),
    );
    const failed = results.find((each) => each.status === 'rejected');
    if (failed === undefined) return;
    await this.#close(opening.grant);
    throw asFailure(failed.reason);
  }

  /** Gives what went wrong, or null. */
  async #close(grant: GrantId): Promise<HknockError | null> {
    const live = this.#live.get(grant);
    if (live === undefined) return null;
    live.timer.cancel();
    this.#live.delete(grant);
    const { opening } = live;
    const results = await Promise.allSettled(
      opening.ports.map((port) => this.#release(opening, port)),
    );
    const failed = results.find((each) => each.status === 'rejected');
    return failed === undefined ? null : asFailure(failed.reason);
  }

  async #release(opening: Opening, port: ServicePort): Promise<void> {
    const hole = this.#holeFor(opening, port);
    try {
      await this.#track(hole.release(opening.grant));
    } finally {
      if (hole.isUnused) this.#holes.delete(keyOf(opening, port));
    }
  }

  #holeFor(opening: Opening, port: ServicePort): Hole {
    const key = keyOf(opening, port);
    const hole = this.#holes.get(key) ?? new Hole();
    this.#holes.set(key, hole);
    return hole;
  }

  #commands(opening: Opening, port: ServicePort): HoleCommands {
    const { open, close, log } = this.#options;
    const facts = factsOf(opening, port);
    const options = { ...this.#options, env: environmentOf(facts) };
    const start = (argv: readonly string[]): Promise<void> =>
      this.#slots.run(() => run(fillIn(argv, facts), options));
    return {
      open: () => start(open),
      close: () =>
        start(close).catch((error: unknown) => {
          log.error('a port may be open still', { ...facts, fault: String(error) });
          throw error;
        }),
    };
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }
}

async function find(program: string): Promise<void> {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  const tries = folders.map((folder) => access(join(folder, program), constants.X_OK));
  await Promise.any(tries).catch((cause: unknown) => {
    throw new HknockError('host', `'${program}' is not a program that can be run`, {
      hint: 'name the commands of the firewall by their full paths',
      cause,
    });
  });
}

function keyOf({ source }: Opening, port: ServicePort): string {
  return `${formatServicePort(port)} ${source}`;
}

function asFailure(cause: unknown): HknockError {
  return cause instanceof HknockError
    ? cause
    : new HknockError('firewall', String(cause), { cause });
}
