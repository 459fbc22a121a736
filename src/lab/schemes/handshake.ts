import type { Admission } from '../../units/admission.ts';
import { falls, holds, holdsIn, races } from '../expect.ts';
import type { Scheme } from '../scheme.ts';
import { SERVICE_PORT } from '../scheme.ts';
import { byHandshake } from './by-handshake.ts';
import { GATE_PORT, serveHknock, withGate } from './hknock-server.ts';

const KNOCK_PORT = 62_202;

/** Of Request and Response the second one proves something (wire.md, section 4). */
const RESPONSE_LENGTH = 222;

/** hknock's own handshake, with a secret. */
export function handshake(admission: Admission): Scheme {
  return {
    name: `hknock-${admission}`,
    title: `hknock, admission ${admission}`,
    programs: [],
    behindNat: true,
    expected: expectedOf(admission),
    deploy: async (world) => {
      const isGate = admission === 'gate';
      const { profile, revokeAlice } = await serveHknock(world, {
        admission,
        letThrough: isGate ? { tcp: [GATE_PORT] } : {},
        configure: isGate ? withGate : (text) => text,
      });
      const knock = (connectWithinMs: number | null): Promise<number> =>
        world.client.ask('byProfile', { file: profile, admission, connectWithinMs });
      return byHandshake({
        knock,
        ports: isGate ? [SERVICE_PORT, GATE_PORT] : [SERVICE_PORT],
        isProof: ({ destinationPort, payload }) =>
          destinationPort === KNOCK_PORT && payload.length === RESPONSE_LENGTH,
        revoke: revokeAlice,
      });
    },
  };
}

/** The handshake is the same; what differs is how the connection finds its grant. */
function expectedOf(admission: Admission): Scheme['expected'] {
  const nat = { address: falls, once: races, port: manyHold, bound: manyHold, gate: manyHold };
  return {
    b1: holds,
    a1: holds,
    a1a2: holds,
    a1a2a3: admission === 'gate' ? holds : falls,
    b2: holds,
    nat: nat[admission],
    dos: holds,
  };
}

const manyHold = holdsIn(10);
