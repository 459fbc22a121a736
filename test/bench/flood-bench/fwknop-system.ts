import { randomBytes } from 'node:crypto';
import { execute, interfaceTo } from '../../support/netns.ts';
import { Fwknop, spaPort } from '../../interop/peers/fwknop.ts';
import { addresses } from '../../support/topology.ts';
import type { Attack } from './attacker.ts';
import { Client } from './client.ts';
import type { Kind } from './kinds.ts';
import { asClient, fromEverywhere, fromOne, randomDatagrams, syns } from './packets.ts';
import { recorded } from './recorded.ts';
import type { Scene } from './scene.ts';
import { startServices } from './services.ts';
import type { SpaTries } from './spa-program.ts';
import type { System, Times } from './system.ts';

const FIRST_PORT = 9500;

/** Each knock is for a port that has not been opened for a while: as many as a line of its configuration has room for. */
const PORTS = 80;

const KNOCKS = 5;

/** What there is against a protocol of one packet without tags. */
const known: ReadonlySet<Kind> = new Set(['random', 'shaped', 'responses', 'spoofed', 'syn']);

/** Its packets are text. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Debian's fwknopd, which captures by libpcap, and the stock client. */
export async function startFwknop({ topology, server, client }: Scene): Promise<System> {
  await startServices(server, FIRST_PORT, PORTS);
  for (const rule of [
    ['-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED', '-j', 'ACCEPT'],
    ['-P', 'INPUT', 'DROP'],
  ]) {
    await server.run(['iptables', ...rule]);
  }
  const rest = Array.from({ length: PORTS - 1 }, (_, at) => FIRST_PORT + 1 + at);
  const fwknop = await Fwknop.start(server, [FIRST_PORT, ...rest], interfaceTo(topology.nat));
  const knocker = await Client.start<SpaTries, Times>(client, 'spa-program.ts');
  let tried = 0;
  const knock: System['knock'] = (tries) => {
    const ports = Array.from({ length: tries.count }, () => FIRST_PORT + (tried++ % PORTS));
    const argv = fwknop.clientFor({ from: addresses.public });
    return knocker.do({ ...tries, argv, server: addresses.server, ports });
  };
  const record = (): Promise<readonly Uint8Array[]> => {
    const during = (): Promise<Times> => knock({ count: 1, overMs: null, withinMs: 5000 });
    return recorded(topology, spaPort, { count: 1, during });
  };
  return {
    name: 'fwknop',
    version: await versionOf(),
    knocks: KNOCKS,
    pid: fwknop.pid,
    knock,
    attack: async (kind) => (known.has(kind) ? attackOf(kind, await record()) : null),
  };
}

/** "fwknopd server 2.6.10, compiled for …" */
async function versionOf(): Promise<string> {
  const { stdout } = await execute(['fwknopd', '--version']);
  return /server ([\d.]+)/.exec(stdout)?.[1] ?? '?';
}

function attackOf(kind: Kind, knocks: readonly Uint8Array[]): Attack | null {
  const [knock = new Uint8Array()] = knocks;
  switch (kind) {
    case 'random':
      return randomDatagrams(spaPort);
    case 'shaped':
      return fromEverywhere(spaPort, () => text(knock.length));
    case 'responses':
      return fromOne(asClient, spaPort, knocks);
    case 'spoofed':
      return fromEverywhere(spaPort, () => knock);
    case 'syn':
      return syns(FIRST_PORT);
    default:
      return null;
  }
}

function text(length: number): Uint8Array {
  const letters = Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]);
  return Buffer.from(letters.join(''), 'latin1');
}
