import { writeFile } from 'node:fs/promises';
import { interfaceTo } from '../netns.ts';
import { addresses } from '../network.ts';
import { falls } from '../expect.ts';
import { type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { enterAfter } from './enter-after.ts';
import { writes } from './hknock-server.ts';
import { dropByDefault } from './iptables.ts';

const SEQUENCE = ['7001', '7002', '7003'];

/** knockd 0.8 as Debian has it, and its manual shows it; its client is Debian's `knock`. */
export const knockd: Scheme = {
  name: 'knockd',
  title: 'knockd 0.8, fixed sequence',
  programs: ['knockd', 'knock', 'iptables-restore'],
  behindNat: true,
  expected: { a1: falls, a1a2: falls, a1a2a3: falls, b2: falls, nat: falls, dos: falls },
  deploy: async (world) => {
    await dropByDefault(world.network.server);
    await serve(world);
    const knock = async (): Promise<void> => {
      await world.network.client.exec(['knock', '-d', '10', addresses.server, ...SEQUENCE]);
    };
    return {
      ports: [SERVICE_PORT],
      knock,
      enter: enterAfter(world, knock),
      // what one client knows all know
      revoke: null,
    };
  },
};

async function serve({ network, path }: World): Promise<void> {
  const rule = `-I INPUT -s %IP% -p tcp --dport ${String(SERVICE_PORT)} -j ACCEPT`;
  const config = `[options]\n[door]\nsequence = ${SEQUENCE.join(',')}\nstart_command = iptables ${rule}\n`;
  await writeFile(path('knockd.conf'), config);
  const device = interfaceTo(network.router);
  const files = ['-c', path('knockd.conf'), '-p', path('knockd.pid')];
  const daemon = network.server.spawn(['knockd', '-D', '-v', '-i', device, ...files]);
  await writes(daemon, 'listening on');
}
