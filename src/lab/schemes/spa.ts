import { falls, holds } from '../expect.ts';
import { type Scheme, SERVICE_PORT } from '../scheme.ts';
import { enterAfter } from './enter-after.ts';
import { FWKNOP_PORT, serveHknock, turnOn } from './hknock-server.ts';

/** fwknop's packet between hknock's client and server; the client names the public address to let in. */
export const spa: Scheme = {
  name: 'hknock-fwknop',
  title: "hknock, by fwknop's packet, admission once",
  programs: [],
  behindNat: true,
  expected: { b1: holds, a1: holds, a1a2: holds, a1a2a3: falls, b2: holds, nat: falls, dos: holds },
  deploy: async (world) => {
    const { profile: file, revokeAlice } = await serveHknock(world, {
      admission: 'once',
      fwknop: true,
      letThrough: { udp: [FWKNOP_PORT] },
      configure: turnOn('fwknop'),
    });
    const knock = async (): Promise<void> => {
      await world.client.ask('bySpa', { file, source: world.clientAddress });
    };
    return { ports: [SERVICE_PORT], knock, enter: enterAfter(world, knock), revoke: revokeAlice };
  },
};
