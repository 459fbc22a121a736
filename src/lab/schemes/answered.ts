import type { Admission } from '../../units/admission.ts';
import { falls, holds, holdsIn, races } from '../expect.ts';
import { type Defence, type Scheme, SERVICE_PORT } from '../scheme.ts';
import { byHandshake, type Handshaking } from './by-handshake.ts';
import { GATE_PORT } from './hknock-server.ts';

const KNOCK_PORT = 62_202;

export interface Answered extends Pick<Handshaking, 'knock' | 'guessing' | 'revoke' | 'endGrants'> {
  readonly admission: Admission;
  /** By the length of what is sent: whether it proves something. */
  readonly isProof: (length: number) => boolean;
}

/** For the handshakes with hknock's server, whatever the client proves in them. */
export function answered({ admission, isProof, ...rest }: Answered): Defence {
  return byHandshake({
    ...rest,
    ports: admission === 'gate' ? [SERVICE_PORT, GATE_PORT] : [SERVICE_PORT],
    isProof: ({ destinationPort, payload }) =>
      destinationPort === KNOCK_PORT && isProof(payload.length),
  });
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
