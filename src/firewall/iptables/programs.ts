import { HknockError } from '../../errors/hknock-error.ts';
import { type Connection, parseConnections } from '../nftables/connections.ts';
import { denied } from '../nftables/faults.ts';
import { type Family, families } from '../nftables/layout.ts';
import { runOnce, type Said } from '../nftables/once.ts';
import { CHAIN, TABLE } from './rules.ts';

/** Why ipset refused a line. */
export type SetFault = 'exists' | 'full' | 'busy';

const faults: readonly (readonly [text: string, fault: SetFault])[] = [
  ["it's already added", 'exists'],
  ['set is full', 'full'],
  ['in use by a kernel component', 'busy'],
];

/** Runs `iptables`, `ip6tables` and `ipset`, each to its end. */
export class Programs {
  readonly #prefix: readonly string[];

  /** @param prefix what stands before each command, such as `ip netns exec NAME` */
  constructor(prefix: readonly string[] = []) {
    this.#prefix = prefix;
  }

  /** Has ipset take the lines one after the other, up to the first that it refuses; null when it took all. */
  async sets(lines: readonly string[]): Promise<SetFault | null> {
    if (lines.length === 0) return null;
    const said = await this.#run(['ipset', 'restore'], lines);
    if (said.cause === null) return null;
    const text = said.stderr.toLowerCase();
    const fault = faults.find(([part]) => text.includes(part))?.[1];
    if (fault === undefined) throw refused('ipset', said);
    return fault;
  }

  /**
   * Has iptables take all lines or none.
   * @throws {HknockError} `host`
   */
  async rules(family: Family, lines: readonly string[]): Promise<void> {
    const program = `${iptables(family)}-restore`;
    const said = await this.#run([program, '--noflush', '--wait'], lines);
    if (said.cause !== null) throw refused(program, said);
  }

  /** Whether INPUT leads to our chain. */
  async hasJump(family: Family): Promise<boolean> {
    return (await this.#jump(family, '-C')).cause === null;
  }

  /** Makes the jump from INPUT to our chain the first rule there. @throws {HknockError} `host` */
  async addJump(family: Family): Promise<void> {
    const said = await this.#jump(family, '-I');
    if (said.cause !== null) throw refused(iptables(family), said);
  }

  /** Takes the jump away, however often it is there. */
  async removeJump(family: Family): Promise<void> {
    while ((await this.#jump(family, '-D')).cause === null);
  }

  /** The established TCP connections of this machine. */
  async connections(): Promise<readonly Connection[]> {
    const said = await this.#run(['cat', '/proc/net/tcp', '/proc/net/tcp6']);
    return parseConnections(said.stdout);
  }

  /** @throws {HknockError} `host` with what is missing */
  async require(): Promise<void> {
    const needed = ['ipset', ...families.map((family) => `${iptables(family)}-restore`)];
    for (const program of needed) {
      const said = await this.#run([program, '--version']);
      if (said.cause !== null) throw refused(program, said);
    }
  }

  #jump(family: Family, action: '-C' | '-I' | '-D'): Promise<Said> {
    return this.#run([iptables(family), '--wait', '-t', TABLE, action, 'INPUT', '-j', CHAIN]);
  }

  #run(command: readonly string[], lines: readonly string[] = []): Promise<Said> {
    const [program = '', ...args] = [...this.#prefix, ...command];
    return runOnce(program, args, lines.map((line) => `${line}\n`).join(''));
  }
}

function iptables(family: Family): string {
  return family === 4 ? 'iptables' : 'ip6tables';
}

function refused(program: string, { cause, stderr }: Said): HknockError {
  if (cause?.code === 'ENOENT') {
    return new HknockError('host', `there is no ${program} program`, {
      hint: 'apt-get install iptables ipset',
      cause,
    });
  }
  if (/not permitted|permission denied/i.test(stderr)) return denied(stderr);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return new HknockError('host', `${program} refused: ${said}`, { cause });
}
