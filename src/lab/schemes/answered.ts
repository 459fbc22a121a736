import type { Admission } from '../../units/admission.ts';
import { falls, holds, holdsIn, races } from '../expect.ts';
import type { Knocking } from '../host-program.ts';
import { type Defence, type Fleet, type Scheme, SERVICE_PORT } from '../scheme.ts';
import { byHandshake, type Handshaking } from './by-handshake.ts';
import { GATE_PORT } from './hknock-server.ts';

const KNOCK_PORT = 62_202;

export interface Answered extends Pick<Handshaking, 'guessing' | 'revoke' | 'endGrants'> {
  readonly fleet: Fleet;
  readonly admission: Admission;
  /** As {@link Handshaking.knock}. */
  readonly knock: (how: Omit<Knocking, 'admission'>) => Promise<number>;
  /** By the length of what is sent: whether it proves something. */
  readonly isProof: (length: number) => boolean;
}

/** For the handshakes with hknock's server, whatever the client proves in them. */
export function answered({ admission, isProof, knock, fleet, ...rest }: Answered): Defence {
  const defence = byHandshake({
    ...rest,
    knock: (connectWithinMs) => knock({ connectWithinMs }),
    ports: admission === 'gate' ? [SERVICE_PORT, GATE_PORT] : [SERVICE_PORT],
    isProof: ({ destinationPort, payload }) =>
      destinationPort === KNOCK_PORT && isProof(payload.length),
  });
  const asksTooMuch = async (): Promise<boolean> =>
    (await knock({ connectWithinMs: null, breadth: 'prefix' })) !== 0;
  return { ...defence, asksTooMuch, fleet };
}

/** What differs is how the connection finds its grant. */
export function expectedWhenAnswered(admission: Admission): Scheme['expected'] {
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
