import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Namespace, until } from './netns.ts';
import type { Network } from './network.ts';

/** What passes over IPv4 at the hosts of a cell, for Wireshark: a file for each, and those with the keys (protocol-spec/hknock.lua). */
export class Captures {
  readonly #prefix: string;

  /** @param cell what the names of its files begin with */
  constructor(folder: string, cell: string) {
    mkdirSync(folder, { recursive: true });
    this.#prefix = join(folder, cell);
  }

  /** Starts to write all down, until the network is removed. What a host forwards is there twice, as it came and as it went. */
  async begin(network: Network): Promise<void> {
    const { client, neighbour, nat, router, stranger, server } = network;
    const hosts = [client, neighbour, nat, router, stranger, server];
    await Promise.all(hosts.map((each) => writeDown(each, `${this.#prefix}-${each.hint}.pcap`)));
  }

  /** Keeps the profiles that are in a folder. */
  keepKeys(folder: string): void {
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.toml')) copyFileSync(join(folder, name), `${this.#prefix}-${name}`);
    }
  }
}

async function writeDown(place: Namespace, file: string): Promise<void> {
  // as root to the end: Debian's tcpdump becomes another user before it opens the file, who may not write everywhere
  const argv = [
    'tcpdump',
    '-i',
    'any',
    '-n',
    '-U',
    '--immediate-mode',
    '-Z',
    'root',
    '-w',
    file,
    'ip',
  ];
  const tcpdump = place.spawn(argv);
  let said = '';
  tcpdump.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => said.includes('listening on'), `tcpdump to listen in ${place.name}`);
}
