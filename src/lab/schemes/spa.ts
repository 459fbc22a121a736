import { randomInt } from 'node:crypto';
import type { SpaKeys } from '../../fwknop/packet.ts';
import { readProfileFile } from '../../store/profile-file.ts';
import type { Admission } from '../../units/admission.ts';
import { falls, holds, holdsIn, races } from '../expect.ts';
import type { Expectation } from '../model.ts';
import { addresses } from '../network.ts';
import { type Defence, type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { enterAfter } from './enter-after.ts';
import { guessingAtSpa } from './guessing-at-spa.ts';
import { FWKNOP_PORT, serveHknock, turnOn } from './hknock-server.ts';

/** The ports that may lead to a service (`port_range`). */
const ENTRANCES = { first: 10_000, last: 32_767 } as const;

/** fwknop's packet to hknock's server; the client names the public address to let in. */
export function spa(admission: Admission): Scheme {
  const hasEntrance = admission === 'port';
  return {
    name: `hknock-fwknop-${admission}`,
    title: `hknock, by fwknop's packet, admission ${admission}`,
    programs: hasEntrance ? ['fwknop'] : [],
    behindNat: true,
    expected: {
      b1: holds,
      a1: holds,
      a1a2: holds,
      a1a2a3: falls,
      b2: holds,
      nat: expectedOfNeighbour(admission),
      dos: holds,
    },
    deploy: async (world) => {
      const {
        profile: file,
        revokeAlice,
        counted,
        endGrants,
      } = await serveHknock(world, {
        admission,
        fwknop: true,
        letThrough: { udp: [FWKNOP_PORT] },
        configure: turnOn('fwknop'),
      });
      const ways = hasEntrance ? await byLocalNat(world, file) : byPacket(world, file);
      return {
        ports: [SERVICE_PORT],
        knocksInOne: true,
        ...ways,
        // what goes to an entrance is the connection
        isProof: ({ destinationPort }) => destinationPort === FWKNOP_PORT,
        guessing: { ...guessingAtSpa(), looks: () => counted('dropped hmac', 'fwknop') },
        revoke: revokeAlice,
        endGrants,
      };
    },
  };
}

/** Nobody tells the client when it is open: a neighbour who tries all the time is mostly the first to know. */
function expectedOfNeighbour(admission: Admission): Expectation {
  if (admission === 'port') return holdsIn(10);
  return admission === 'once' ? races : falls;
}

type Ways = Pick<Defence, 'knock' | 'enter'>;

/** hknock's own client. */
function byPacket(world: World, file: string): Ways {
  const knock = (): Promise<void> =>
    world.client.ask('bySpa', { file, source: world.clientAddress });
  return { knock, enter: enterAfter(world, knock) };
}

/** Debian's client, which can have a port of its own choice lead to the service once (fwknop.md, section 5.1). */
async function byLocalNat(world: World, file: string): Promise<Ways> {
  const { fwknop: keys } = await readProfileFile(file);
  if (keys === undefined) throw new Error('no keys of fwknop');
  const wish = ['-D', addresses.server, '-A', `tcp/${String(SERVICE_PORT)}`, '--nat-local'];
  const who = ['-a', world.clientAddress, ...secrets(keys)];
  const draw = (): number => randomInt(ENTRANCES.first, ENTRANCES.last + 1);
  const knockFor = async (entrance: number): Promise<void> => {
    const by = ['--nat-port', String(entrance)];
    await world.network.client.exec(['fwknop', '--no-rc-file', ...wish, ...by, ...who]);
  };
  return {
    knock: () => knockFor(draw()),
    enter: (withinMs) => {
      const entrance = draw();
      return enterAfter(world, () => knockFor(entrance), entrance)(withinMs);
    },
  };
}

function secrets({ key, hmacKey }: SpaKeys): readonly string[] {
  const [encryption, hmac] = [key, hmacKey].map((each) => Buffer.from(each).toString('base64'));
  return ['--use-hmac', '--key-base64-rijndael', encryption ?? '', '--key-base64-hmac', hmac ?? ''];
}
