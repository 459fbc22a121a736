import { falls, holds, holdsIn } from '../expect.ts';
import { type Scheme, SERVICE_PORT } from '../scheme.ts';
import { within } from '../within.ts';
import { GATE_PORT, serveHknock, turnOn } from './hknock-server.ts';

/** Connections within 30 s: as many as all attacks take. Without the gate so many would be guessed too easily, and fewer will do. */
const SLOTS = { service: 4, gate: 64 } as const;

/** As long as a client goes on to try. */
export const KNOCK_MS = 10_000;

/** The sequence number of the client's SYN is its knock; it leads to the service, or to the gate before it. */
export function silent(leadsTo: 'service' | 'gate'): Scheme {
  const gate = leadsTo === 'gate';
  const slots = SLOTS[leadsTo];
  return {
    name: gate ? 'hknock-silent-gate' : 'hknock-silent',
    title: gate ? 'hknock, silent, through the gate' : 'hknock, silent',
    programs: [],
    behindNat: true,
    expected: gate
      ? {
          b1: holds,
          a1: holds,
          a1a2: holds,
          a1a2a3: holds,
          b2: holds,
          nat: holdsIn(10),
          dos: holds,
        }
      : // too many wrong numbers stop all (silent.md, section 6)
        { b1: holds, a1: holds, a1a2: falls, a1a2a3: falls, b2: holds, nat: holds, dos: falls },
    deploy: async (world) => {
      const {
        profile: file,
        revokeAlice,
        endGrants,
      } = await serveHknock(world, {
        admission: gate ? 'gate' : 'once',
        configure: (text) =>
          turnOn('silent')(text).replace('slots = 4', `slots = ${String(slots)}`),
      });
      const enter = (withinMs: number): Promise<number> =>
        within(world.client.ask('silently', { file, gate, slots }), withinMs);
      return {
        ports: gate ? [SERVICE_PORT, GATE_PORT] : [SERVICE_PORT],
        knocksByConnecting: true,
        knock: async () => {
          await world.client.ask('hangUp', await enter(KNOCK_MS));
        },
        enter,
        revoke: revokeAlice,
        endGrants,
      };
    },
  };
}
