import type { Admission } from '../../units/admission.ts';
import { falls, holds, races } from '../expect.ts';
import { type Scheme, SERVICE_PORT } from '../scheme.ts';
import { enterAfter } from './enter-after.ts';
import { guessingAtSequences } from './guessing-at-sequences.ts';
import { serveHknock } from './hknock-server.ts';

/** Each step opens once, and a client's clock may be one off: so many knocks can be made without waiting. */
export const OFFSETS_MS = [-30_000, 0, 30_000];

/** Ports made from a TOTP secret, others every half minute. */
export function totp(admission: Admission): Scheme {
  return {
    name: `totp-${admission}`,
    title: `TOTP sequence, admission ${admission}`,
    programs: ['tcpdump'],
    behindNat: true,
    expected: {
      b1: holds,
      a1: holds,
      a1a2: falls,
      a1a2a3: falls,
      b2: holds,
      // nobody tells the client when it is open
      nat: admission === 'once' ? races : falls,
      dos: falls,
    },
    deploy: async (world) => {
      const { profile, enrolAnother, revokeAlice, counted, endGrants } = await serveHknock(world, {
        admission,
        totp: true,
        configure: (text) => text.replace('schemes = []', 'schemes = ["totp"]'),
      });
      let knocks = 0;
      let file = profile;
      // who has used all of its steps that count now makes way for another
      const knock = async (): Promise<void> => {
        const [at, others] = [knocks % OFFSETS_MS.length, Math.floor(knocks / OFFSETS_MS.length)];
        knocks++;
        if (at === 0 && others > 0) file = await enrolAnother(`client-${String(others)}`);
        await world.client.ask('byTotp', { file, offsetMs: OFFSETS_MS[at] ?? 0 });
      };
      return {
        ports: [SERVICE_PORT],
        knock,
        enter: enterAfter(world, knock),
        guessing: { ...guessingAtSequences.totp, looks: () => counted('heard', 'sequence') },
        revoke: revokeAlice,
        endGrants,
      };
    },
  };
}
