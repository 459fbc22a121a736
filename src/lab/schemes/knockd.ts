import { writeFile } from 'node:fs/promises';
import { falls } from '../expect.ts';
import { interfaceTo } from '../netns.ts';
import { addresses } from '../network.ts';
import { type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { Daemon } from './daemon.ts';
import { enterAfter } from './enter-after.ts';
import { inOrder, syns } from './guesses.ts';
import { dropByDefault } from './iptables.ts';

const sequences = { alice: ['7001', '7002', '7003'], bob: ['7101', '7102', '7103'] } as const;

type Sequence = (typeof sequences)[keyof typeof sequences];

/** The manual's example has all its ports below this. */
const HIGHEST_GUESSED = 10_000;

/** What it writes last when it has read its configuration, once for IPv4 and once for IPv6. */
const READ = 'adding pcap expression for door';

/** knockd 0.8 as Debian has it, configured as its manual shows it, a sequence for each client; its client is Debian's `knock`. */
export const knockd: Scheme = {
  name: 'knockd',
  title: 'knockd 0.8, fixed sequence',
  programs: ['knockd', 'knock', 'iptables', 'iptables-restore'],
  behindNat: true,
  // what it has opened stays open, whoever is shut out meanwhile
  expected: { b1: falls, a1: falls, a1a2: falls, a1a2a3: falls, b2: falls, nat: falls, dos: falls },
  deploy: async (world) => {
    await dropByDefault(world.network.server);
    await admit(world, [sequences.alice, sequences.bob]);
    const daemon = await serve(world);
    const knock = async (): Promise<void> => {
      await world.network.client.exec(['knock', '-d', '10', addresses.server, ...sequences.alice]);
    };
    const revoke = async (): Promise<void> => {
      await admit(world, [sequences.bob]);
      await daemon.reload(READ, 2);
    };
    return {
      ports: [SERVICE_PORT],
      knock,
      enter: enterAfter(world, knock),
      guessing: {
        // what belongs to no door is passed over, so all ports in order are each sequence that ascends: one in six of those of three ports
        guess: () => syns(inOrder(1, HIGHEST_GUESSED)),
        oneIn: 6n,
        guesses: 1,
        looks: () => Promise.resolve(daemon.count(': Stage ')),
      },
      revoke,
      endGrants: () => dropByDefault(world.network.server),
    };
  },
};

async function serve({ network, path }: World): Promise<Daemon> {
  const files = ['-c', path('knockd.conf'), '-p', path('knockd.pid')];
  const device = interfaceTo(network.router);
  const daemon = new Daemon(network.server.spawn(['knockd', '-D', '-v', '-i', device, ...files]));
  await daemon.writes('listening on');
  return daemon;
}

async function admit({ path }: World, clients: readonly Sequence[]): Promise<void> {
  const rule = `-I INPUT -s %IP% -p tcp --dport ${String(SERVICE_PORT)} -j ACCEPT`;
  const doors = clients.map(
    (sequence) =>
      `[door-${sequence.join('-')}]\nsequence = ${sequence.join(',')}\nstart_command = iptables ${rule}\n`,
  );
  await writeFile(path('knockd.conf'), ['[options]', ...doors].join('\n'));
}
