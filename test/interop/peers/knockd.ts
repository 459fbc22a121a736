import { writeFileSync } from 'node:fs';
import { Daemon, type Machine } from '../../support/machine.ts';
import { type Finished, until } from '../../support/netns.ts';
import { addresses } from '../../support/topology.ts';
import { countIn, says } from './says.ts';

/** What clients of knockd have to know: the ports of a sequence. */
export const sequences = { alice: [7001, 7002, 7003], bob: [7101, 7102, 7103] } as const;

/** What it writes last when it has read its configuration. */
const filter = 'adding pcap expression for door';

export interface KnockOptions {
  /** The ports to knock at; alice's if not said. */
  readonly sequence?: readonly number[];
  /** The server's address; its IPv4 address if not said. */
  readonly address?: string;
  /** A command line to put before the client's, such as faketime's. */
  readonly through?: readonly string[];
}

/** A running knockd, configured as its manual shows it: a sequence puts a rule for the source address before the others. */
export class Knockd {
  readonly port: number;
  readonly #daemon: Daemon;
  readonly #config: string;

  /** Starts one whose clients may open a port, and waits until it listens. Ends with the machine. */
  static async start(server: Machine, port: number, device: string): Promise<Knockd> {
    const config = server.path('knockd.conf');
    writeFileSync(config, configuration(port, Object.values(sequences)));
    const argv = [
      'knockd',
      '-D',
      '-v',
      '-i',
      device,
      '-c',
      config,
      '-p',
      server.path('knockd.pid'),
    ];
    const knockd = new Knockd(port, new Daemon(server.start(argv)), config);
    await says(knockd.#daemon, 'listening on');
    return knockd;
  }

  private constructor(port: number, daemon: Daemon, config: string) {
    this.port = port;
    this.#daemon = daemon;
    this.#config = config;
  }

  /** Runs the client `knock`, and waits until the daemon has seen all of its packets. */
  async knock(machine: Machine, options: KnockOptions = {}): Promise<Finished> {
    const { sequence = sequences.alice } = options;
    const before = this.seen;
    const finished = await knockAt(machine, options);
    await until(() => this.seen >= before + sequence.length, 'knockd to see all');
    return finished;
  }

  /** How many packets to ports of its sequences it has seen. */
  get seen(): number {
    return countIn(this.#daemon, ' bytes\n');
  }

  /** Goes on with bob's sequence alone. */
  async shutAliceOut(): Promise<void> {
    const filters = countIn(this.#daemon, filter);
    writeFileSync(this.#config, configuration(this.port, [sequences.bob]));
    this.#daemon.child.kill('SIGHUP');
    await says(this.#daemon, filter, filters + 2); // one each for IPv4 and IPv6
  }
}

/** Runs the client `knock`. It tells nothing, not even whether there is a server. */
export function knockAt(machine: Machine, options: KnockOptions = {}): Promise<Finished> {
  const { sequence = sequences.alice, address = addresses.server, through = [] } = options;
  return machine.run([...through, 'knock', '-d', '10', address, ...sequence.map(String)]);
}

function configuration(port: number, accepted: readonly (readonly number[])[]): string {
  const rule = `-I INPUT -s %IP% -p tcp --dport ${String(port)} -j ACCEPT`;
  const doors = accepted.map(
    (sequence) => `
      [${sequence.join('-')}]
        sequence = ${sequence.join(',')}
        start_command = iptables ${rule}
        start_command_6 = ip6tables ${rule}
`,
  );
  return ['[options]', ...doors].join('\n');
}
