import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { falls, holds } from '../expect.ts';
import { interfaceTo } from '../netns.ts';
import { addresses } from '../network.ts';
import { type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { Daemon } from './daemon.ts';
import { enterAfter } from './enter-after.ts';
import { guessingAtSpa } from './guessing-at-spa.ts';
import { dropByDefault } from './iptables.ts';

const LISTENING = 'Starting fwknopd main event loop';

/** What it writes for each packet that no key fits. */
const REFUSED = '(stanza #1) Error creating fko context';

/** fwknop 2.6 as Debian has it; its client names the public address to let in, and each client has keys of its own. */
export const fwknop: Scheme = {
  name: 'fwknop',
  title: 'fwknop 2.6',
  programs: ['fwknop', 'fwknopd', 'iptables', 'iptables-restore'],
  behindNat: true,
  expected: { b1: holds, a1: holds, a1a2: holds, a1a2a3: falls, b2: holds, nat: falls, dos: holds },
  deploy: async (world) => {
    const [alice, bob] = [newKeys(), newKeys()];
    await dropByDefault(world.network.server);
    await admit(world, [alice, bob]);
    const daemon = await serve(world);
    const secret = ['--key-base64-rijndael', alice.encryption, '--use-hmac'];
    const wish = ['-D', addresses.server, '-A', `tcp/${String(SERVICE_PORT)}`];
    const who = ['-a', world.clientAddress, ...secret, '--key-base64-hmac', alice.hmac];
    const knock = async (): Promise<void> => {
      await world.network.client.exec(['fwknop', '--no-rc-file', ...wish, ...who]);
    };
    const revoke = async (): Promise<void> => {
      await admit(world, [bob]);
      await daemon.reload(LISTENING, 1);
    };
    const endGrants = async (): Promise<void> => {
      await world.network.server.exec(['iptables', '-F', 'FWKNOP_INPUT']);
    };
    return {
      ports: [SERVICE_PORT],
      knocksInOne: true,
      knock,
      enter: enterAfter(world, knock),
      guessing: { ...guessingAtSpa(), looks: () => Promise.resolve(daemon.count(REFUSED)) },
      revoke,
      endGrants,
    };
  },
};

interface Keys {
  /** Base64, both. */
  readonly encryption: string;
  readonly hmac: string;
}

function newKeys(): Keys {
  const [encryption, hmac] = [randomBytes(32), randomBytes(64)];
  return { encryption: encryption.toString('base64'), hmac: hmac.toString('base64') };
}

async function serve({ network, path }: World): Promise<Daemon> {
  await writeFile(path('fwknopd.conf'), `PCAP_INTF ${interfaceTo(network.router)};\n`, {
    mode: 0o600,
  });
  await mkdir(path('fwknop'));
  const files = ['-c', path('fwknopd.conf'), '-a', path('access.conf'), '-r', path('fwknop')];
  const daemon = new Daemon(network.server.spawn(['fwknopd', '-f', ...files]));
  await daemon.writes(LISTENING);
  return daemon;
}

async function admit({ path }: World, clients: readonly Keys[]): Promise<void> {
  const ports = `OPEN_PORTS tcp/${String(SERVICE_PORT)}`;
  const stanzas = clients.map(
    ({ encryption, hmac }) =>
      `SOURCE ANY\n${ports}\nKEY_BASE64 ${encryption}\nHMAC_KEY_BASE64 ${hmac}\n`,
  );
  await writeFile(path('access.conf'), stanzas.join('\n'), { mode: 0o600 });
}
