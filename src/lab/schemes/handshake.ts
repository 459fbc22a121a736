import { readProfileFile } from '../../store/profile-file.ts';
import type { Admission } from '../../units/admission.ts';
import type { Scheme } from '../scheme.ts';
import { answered, expectedWhenAnswered } from './answered.ts';
import { guessesOfResponses } from './guesses.ts';
import { serveHknock } from './hknock-server.ts';

/** Of Request and Response the second one proves something (wire.md, section 4). */
export const RESPONSE_LENGTH = 222;

/** hknock's own handshake, with a secret. */
export function handshake(admission: Admission): Scheme {
  return {
    name: `hknock-${admission}`,
    title: `hknock, admission ${admission}`,
    programs: [],
    behindNat: true,
    expected: expectedWhenAnswered(admission),
    deploy: async (world) => {
      const { profile: file, ...server } = await serveHknock(world, { admission });
      const { tag } = await readProfileFile(file);
      return answered({
        admission,
        knock: (how) => world.client.ask('byProfile', { file, admission, ...how }),
        isProof: (length) => length === RESPONSE_LENGTH,
        guessing: guessesOfResponses({ tag, length: RESPONSE_LENGTH }, server.counted),
        revoke: server.revokeAlice,
        endGrants: server.endGrants,
        fleet: server.fleet,
      });
    },
  };
}
