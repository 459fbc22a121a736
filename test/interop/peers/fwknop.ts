import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Daemon, type Machine } from '../../support/machine.ts';
import type { Finished } from '../../support/netns.ts';
import { addresses } from '../../support/topology.ts';
import { countIn, says } from './says.ts';

/** What a client of fwknop has to know, in base64. */
interface Keys {
  readonly encryption: string;
  readonly hmac: string;
}

export interface SpaOptions {
  /** Where the packet says that the client is; wherever the packet comes from (`-s`) if not said. */
  readonly from?: string;
  /** Alice's if not said. */
  readonly keys?: Keys;
  /** The server's address; its IPv4 address if not said. */
  readonly address?: string;
  /** A command line to put before the client's, such as faketime's. */
  readonly through?: readonly string[];
}

/** What fwknopd writes about a packet when it has decided. */
const verdicts = {
  opened: 'Added access rule',
  replayed: 'Replay detected',
  untimely: 'time difference is too great',
  unknown: 'Error creating fko context',
} as const;

type Verdict = keyof typeof verdicts;

/** The UDP port that its packets go to. */
export const spaPort = 62201;

const listening = 'Starting fwknopd main event loop';

/** A running fwknopd with iptables for its firewall, as it comes but for the places of its files. */
export class Fwknop {
  readonly #ports: readonly number[];
  readonly keys = { alice: newKeys(), bob: newKeys() };
  readonly #daemon: Daemon;
  readonly #accessFile: string;
  readonly #decided: Record<Verdict, number> = { opened: 0, replayed: 0, untimely: 0, unknown: 0 };

  /** Starts one whose clients may open some ports, and waits until it listens. Ends with the machine. */
  static async start(
    server: Machine,
    ports: readonly [number, ...number[]],
    device: string,
  ): Promise<Fwknop> {
    const fwknop = new Fwknop(server, ports, device);
    await says(fwknop.#daemon, listening);
    return fwknop;
  }

  private constructor(server: Machine, ports: readonly [number, ...number[]], device: string) {
    this.#ports = ports;
    const config = server.path('fwknopd.conf');
    const runFolder = server.path('fwknop');
    this.#accessFile = server.path('access.conf');
    mkdirSync(runFolder);
    writeSecret(config, `PCAP_INTF ${device};\n`);
    this.#admit(this.keys.alice, this.keys.bob);
    const files = ['-c', config, '-a', this.#accessFile, '-r', runFolder];
    this.#daemon = new Daemon(server.start(['fwknopd', '-f', ...files]));
  }

  /** The daemon's process. */
  get pid(): number {
    return this.#daemon.child.pid ?? 0;
  }

  /** Runs the client `fwknop` for the first port, whatever comes of it. */
  async knock(machine: Machine, options: SpaOptions = {}): Promise<Finished> {
    const wish = ['-A', `tcp/${String(this.#ports[0])}`];
    const client = [...(options.through ?? []), ...this.clientFor(options), ...wish];
    return machine.run(client, { allowFailure: true });
  }

  /** The client's command line but for what it wants, which comes after it. */
  clientFor(options: Omit<SpaOptions, 'through'>): readonly [string, ...string[]] {
    const { from, keys = this.keys.alice, address = addresses.server } = options;
    const secret = ['--key-base64-rijndael', keys.encryption, '--key-base64-hmac', keys.hmac];
    const whence = from === undefined ? ['-s'] : ['-a', from];
    return ['fwknop', '--no-rc-file', '-D', address, ...whence, '--use-hmac', ...secret];
  }

  /** The same, and waits until the daemon has let somebody in for it. */
  async open(machine: Machine, options: SpaOptions = {}): Promise<Finished> {
    const finished = await this.knock(machine, options);
    await this.decides('opened');
    return finished;
  }

  /** Waits until the daemon has decided so once more than was waited for before. */
  async decides(verdict: Verdict): Promise<void> {
    await says(this.#daemon, verdicts[verdict], ++this.#decided[verdict]);
  }

  /** Goes on with bob's keys alone. */
  async shutAliceOut(): Promise<void> {
    const times = countIn(this.#daemon, listening);
    this.#admit(this.keys.bob);
    this.#daemon.child.kill('SIGHUP');
    await says(this.#daemon, listening, times + 1);
  }

  #admit(...accepted: readonly Keys[]): void {
    const ports = this.#ports.map((port) => `tcp/${String(port)}`).join(', ');
    const stanzas = accepted.map(
      ({ encryption, hmac }) =>
        `SOURCE ANY\nOPEN_PORTS ${ports}\nKEY_BASE64 ${encryption}\nHMAC_KEY_BASE64 ${hmac}\n`,
    );
    writeSecret(this.#accessFile, stanzas.join('\n'));
  }
}

/** Keys that nobody has agreed upon with a server. */
export function newKeys(): Keys {
  return {
    encryption: randomBytes(32).toString('base64'),
    hmac: randomBytes(64).toString('base64'),
  };
}

function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
