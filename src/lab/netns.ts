import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { HknockError } from '../errors/hknock-error.ts';
import { startReaper } from './reaper.ts';
import './path.ts';

/** What a finished command left behind. `code` is null when a signal ended it. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface ExecOptions {
  /** Text for standard input; without it standard input is empty. */
  readonly input?: string;
  /** Give back a non-zero exit code instead of throwing. */
  readonly allowFailure?: boolean;
  /** Kills the command after this long; 30 s if not said. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

let prefix = `${newRun()}-${newPart()}`;
let reaping = false;
let made = 0;

/** A name that the namespaces of one run begin with. */
export function newRun(): string {
  return `hk${newPart()}`;
}

/** Has our namespaces belong to a run whose owner looks for what it left behind. */
export function joinRun(run: string): void {
  prefix = `${run}-${newPart()}`;
  reaping = true;
}

function newPart(): string {
  return randomBytes(3).toString('hex');
}

/** A network namespace of our own, with its loopback up. Its owner removes it. */
export class Namespace {
  readonly name: string;
  /** What the namespace is for; interfaces that lead to it carry the name, see `interfaceTo`. */
  readonly hint: string;
  readonly #children = new Set<ChildProcess>();
  #isGoing = false;

  private constructor(hint: string) {
    this.hint = hint;
    this.name = `${prefix}-${hint}${String(++made)}`;
  }

  /** @param hint a short word for the name, such as `server` */
  static async create(hint: string): Promise<Namespace> {
    if (!reaping) startReaper(prefix);
    reaping = true;
    const namespace = new Namespace(hint);
    await execute(['ip', 'netns', 'add', namespace.name]);
    // duplicate address detection would keep an IPv6 address unusable for a second
    const settings = ['all', 'default'].flatMap((scope) => [
      `net.ipv6.conf.${scope}.accept_dad=0`,
      `net.ipv6.conf.${scope}.accept_ra=0`,
    ]);
    // one program to start is less work than two
    await namespace.exec(['sh', '-ec', `sysctl -q -w ${settings.join(' ')}; ip link set lo up`]);
    return namespace;
  }

  /** The command line that runs `argv` in here. */
  argv(argv: readonly string[]): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.name, ...argv];
  }

  /**
   * Runs a command to its end.
   * @throws {HknockError} `host` with the command and what it wrote, on a non-zero exit unless `allowFailure`
   */
  exec(argv: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    return execute(this.argv(argv), options);
  }

  /**
   * Starts a command that `remove` kills if it still runs. Standard input, output and error are pipes if not said otherwise.
   * @throws {HknockError} `host` once the namespace is being removed, which nothing shall outlive
   */
  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    if (this.#isGoing) throw new HknockError('host', `${this.name} is being removed`);
    const [program, ...args] = this.argv(argv);
    const child = spawn(program, args, options);
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /** Kills what runs in here and deletes the namespace. Safe to call twice. */
  async remove(): Promise<void> {
    this.#isGoing = true;
    // most often these are all, and one look is enough then
    await Promise.all([...this.#children].map(end));
    await until(() => this.#killAll(), `the processes in ${this.name} to end`);
    await execute(['ip', 'netns', 'delete', this.name], { allowFailure: true });
  }

  /** Also true when the namespace is not there. */
  async #killAll(): Promise<boolean> {
    const { stdout } = await execute(['ip', 'netns', 'pids', this.name], { allowFailure: true });
    const pids = stdout.split('\n').filter(Boolean).map(Number);
    for (const pid of pids) killIfThere(pid);
    return pids.length === 0;
  }
}

/** What `ip link add` takes to join two namespaces by a veth pair. */
export function pairOf(a: Namespace, b: Namespace): readonly string[] {
  const [toB, toA] = [interfaceTo(b), interfaceTo(a)];
  return ['name', toB, 'netns', a.name, 'type', 'veth', 'peer', 'name', toA, 'netns', b.name];
}

/** The name of the interface that {@link link} makes towards `other`: at most 15 characters, the kernel's limit. */
export function interfaceTo(other: Pick<Namespace, 'hint'>): string {
  return `to-${other.hint}`.slice(0, 15);
}

/** Joins two namespaces by a veth pair. Addresses are CIDR, such as `192.0.2.1/24` or `2001:db8::1/64`, and usable at once. */
export async function link(
  ...[a, addressesA, b, addressesB]: [Namespace, readonly string[], Namespace, readonly string[]]
): Promise<void> {
  const [toB, toA] = [interfaceTo(b), interfaceTo(a)];
  await execute(['ip', 'link', 'add', ...pairOf(a, b)]);
  for (const [ns, device] of [
    [a, toB],
    [b, toA],
  ] as const) {
    await execute(['ip', '-n', ns.name, 'link', 'set', device, 'up']);
  }
  // the kernel tells IPv6 of the carrier a moment later; an address that was added before that stays tentative
  await until(() => isUp(a, toB), `${toB} to come up`);
  await until(() => isUp(b, toA), `${toA} to come up`);
  await address(a, toB, addressesA);
  await address(b, toA, addressesB);
}

async function isUp(ns: Namespace, device: string): Promise<boolean> {
  const { stdout } = await execute(['ip', '-n', ns.name, 'link', 'show', 'dev', device]);
  return stdout.includes('state UP');
}

async function address(ns: Namespace, device: string, addresses: readonly string[]): Promise<void> {
  const lines = addresses.map(
    (each) => `addr add ${each} dev ${device}${each.includes(':') ? ' nodad' : ''}\n`,
  );
  await execute(['ip', '-n', ns.name, '-batch', '-'], { input: lines.join('') });
}

/**
 * Waits until `check` is true, and asks the less often the longer it takes; by default so long that a machine with much else to do
 * gets there too.
 * @throws {HknockError} `host` naming `what` when it is not true in time
 */
export async function until(
  check: () => Promise<boolean> | boolean,
  what: string,
  deadlineMs = 30_000,
): Promise<void> {
  const start = performance.now();
  while (!(await check())) {
    const waitedMs = performance.now() - start;
    if (waitedMs > deadlineMs) {
      throw new HknockError('host', `waited ${String(deadlineMs)} ms for ${what}`);
    }
    await sleep(Math.max(20, waitedMs / 10));
  }
}

/**
 * Runs a command outside any namespace, to its end.
 * @throws {HknockError} `host` with the command and what it wrote, on a non-zero exit unless `allowFailure`
 */
export async function execute(
  [program, ...args]: readonly [string, ...string[]],
  { input = '', allowFailure = false, timeoutMs = 30_000, env }: ExecOptions = {},
): Promise<Finished> {
  const child = spawn(program, args, {
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
  });
  child.stdin.on('error', () => undefined); // it may end before it has read all
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    exited,
  ]);
  const finished = { stdout: stdout.join(''), stderr: stderr.join(''), code };
  if (code !== 0 && !allowFailure) {
    const said = `${finished.stderr}${finished.stdout}`.trim();
    throw new HknockError(
      'host',
      `'${[program, ...args].join(' ')}' ended with ${String(code)}: ${said}`,
    );
  }
  return finished;
}

/** Makes namespaces that are removed together; when what is to be made of them fails, none of them is left. */
export async function makeTogether<T extends object>(
  build: (create: (hint: string) => Promise<Namespace>) => Promise<T>,
): Promise<T & { readonly remove: () => Promise<void> }> {
  const made: Namespace[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(made.map((namespace) => namespace.remove()));
  };
  try {
    const built = await build(async (hint) => {
      const namespace = await Namespace.create(hint);
      made.push(namespace);
      return namespace;
    });
    return { ...built, remove };
  } catch (fault) {
    await remove();
    throw fault;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.kill('SIGKILL')) await once(child, 'exit');
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended in the meantime
  }
}
