import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hand, piping } from '../../src/lab/hand.ts';
import { type ExecOptions, type Finished, execute, until } from './netns.ts';
import { resident, type Resident } from './resident.ts';

/** Where commands run: a namespace, or {@link here}. */
export interface Place {
  exec(argv: readonly string[], options?: ExecOptions): Promise<Finished>;
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcess;
}

/** This machine itself, for what needs no namespace. */
export const here: Place = {
  exec: ([program = '', ...args], options) => execute([program, ...args], options),
  spawn: ([program = '', ...args], options) => spawn(program, args, options ?? {}),
};

const commandLine = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const lonely: ReadonlySet<string> = new Set(['connect', 'serve', 'lab']);

/** A computer with hknock on it: the built command line, and a home folder of its own for server and client files. */
export class Machine {
  readonly place: Place;
  readonly home: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #children = new Set<ChildProcess>();
  #resident: Promise<Resident> | null;

  /** @param resident one that serves several machines in one place; its own if none is given */
  constructor(place: Place, resident: Promise<Resident> | null = null) {
    this.place = place;
    this.#resident = resident;
    this.home = mkdtempSync(join(tmpdir(), 'hknock-home-'));
    chmodSync(this.home, 0o755); // services that run as another user pass through
    this.#env = {
      HOME: this.home,
      XDG_CONFIG_HOME: join(this.home, 'config'),
      HKNOCK_DIR: this.path('server'),
      NO_COLOR: '1',
    };
  }

  /** A file in the machine's home. */
  path(name: string): string {
    return join(this.home, name);
  }

  /** The command line that runs hknock. */
  argv(...args: readonly string[]): readonly string[] {
    return [process.execPath, commandLine, ...args];
  }

  /** The program that stays here, started when it is first asked for. */
  get resident(): Promise<Resident> {
    return (this.#resident ??= Hand.of(this.start(resident, piping)));
  }

  /**
   * Runs `hknock ARGS` to its end: by the resident, but for what has input, output or signals to itself.
   * @throws {Error} on an exit code that is not 0, unless `allowFailure`
   */
  async hknock(args: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    const { allowFailure = false, ...own } = options;
    if (Object.keys(own).length > 0 || lonely.has(args[0] ?? '')) {
      return this.run(this.argv(...args), options);
    }
    const finished = await (await this.resident).ask('hknock', { args, env: this.#env });
    if (finished.code === 0 || allowFailure) return finished;
    throw new Error(
      `'hknock ${args.join(' ')}' ended with ${String(finished.code)}: ${finished.stderr}`,
    );
  }

  /** Runs any command, with hknock's surroundings. */
  run(argv: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    return this.place.exec(argv, { ...options, env: { ...this.#env, ...options.env } });
  }

  /** Starts a command with hknock's surroundings; `remove` kills it if it still runs. */
  start(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const env = { ...process.env, ...this.#env, ...options.env };
    const child = this.place.spawn(argv, { ...options, env });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /**
   * Starts `hknock serve` and waits until it says that it serves.
   * @throws {Error} with what it wrote when it ends instead
   */
  async serve(...args: readonly string[]): Promise<Daemon> {
    return this.serveAs(this.argv('serve', ...args));
  }

  /** The same by a command line that leads to `hknock serve`. */
  async serveAs(argv: readonly string[]): Promise<Daemon> {
    const daemon = new Daemon(this.start(argv, { stdio: ['ignore', 'pipe', 'pipe'] }));
    await until(
      () => {
        if (daemon.hasEnded) throw new Error(`hknock serve ended:\n${daemon.log}`);
        return daemon.log.includes(' info serving');
      },
      'hknock serve to begin',
      30_000,
    );
    return daemon;
  }

  /** Kills what was started here and deletes the home folder. */
  async remove(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await until(() => this.#children.size === 0, 'the commands started to end');
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A running `hknock serve`. */
export class Daemon {
  readonly child: ChildProcess;
  #log = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
  }

  /** All that it has written so far. */
  get log(): string {
    return this.#log;
  }

  /** Waits until it has written something; what it has done may be seen before. */
  async writes(wanted: RegExp): Promise<void> {
    await until(() => wanted.test(this.#log), `the daemon to write ${String(wanted)}`, 10_000);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    await until(() => this.hasEnded, `hknock serve to end after ${signal}`);
  }
}
