import { falls, holds, holdsIn } from '../expect.ts';
import type { Guessing } from '../guessing.ts';
import { ACK, SYN } from '../packet.ts';
import { type Defence, type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { within } from '../within.ts';
import { GUESSES, syns } from './guesses.ts';
import { GATE_PORT, type HknockServer, serveHknock, turnOn } from './hknock-server.ts';

/** Connections within 30 s: as many as all attacks take. Without the gate so many would be guessed too easily, and fewer will do. */
const SLOTS = { service: 4, gate: 64 } as const;

/** As long as a client goes on to try. */
const KNOCK_MS = 10_000;

/** Wrong numbers of one address in a day, and for how many half minutes numbers are good at a time (silent.md, sections 6 and 2). */
const WRONG_A_DAY = 30;
const STEPS = 3;

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
        counted,
        endGrants,
      } = await serveHknock(world, {
        admission: gate ? 'gate' : 'once',
        configure: (text) =>
          turnOn('silent')(text).replace('slots = 4', `slots = ${String(slots)}`),
      });
      return {
        ports: gate ? [SERVICE_PORT, GATE_PORT] : [SERVICE_PORT],
        ...byConnecting(world, () => world.client.ask('silently', { file, gate, slots })),
        guessing: guessingAtNumbers(
          { gate, numbers: slots * STEPS, port: SERVICE_PORT, perDay: WRONG_A_DAY },
          () => wrongNumbers(world, counted),
        ),
        revoke: revokeAlice,
        endGrants,
      };
    },
  };
}

/** For schemes whose clients knock by the SYN of their connection: who only knocks hangs up. */
export function byConnecting(
  { client }: Pick<World, 'client'>,
  connect: () => Promise<number>,
): Pick<Defence, 'knocksByConnecting' | 'knock' | 'enter'> {
  const enter = (withinMs: number): Promise<number> => within(connect(), withinMs);
  const knock = async (): Promise<void> => {
    await client.ask('hangUp', await enter(KNOCK_MS));
  };
  return { knocksByConnecting: true, knock, enter };
}

interface Numbers {
  readonly gate: boolean;
  /** Good at a time. */
  readonly numbers: number;
  readonly port: number;
  /** Wrong ones of one address. */
  readonly perDay: number;
}

export function guessingAtNumbers(
  { gate, numbers, port, perDay }: Numbers,
  looks: Guessing['looks'],
): Guessing {
  return {
    guess: () => syns([port]),
    // behind a number that leads to the gate is its key of 32 bytes (gate.md, section 2)
    oneIn: gate ? 2n ** 256n : 2n ** 32n / BigInt(numbers),
    guesses: GUESSES,
    ...(!gate && { perDay, isIn: ({ tcp }) => tcp?.flags === (SYN | ACK) }),
    looks,
  };
}

/** Wrong numbers so far: what hknock has taken from the kernel's counter now and then, and what has come since. */
export async function wrongNumbers(
  { network }: Pick<World, 'network'>,
  counted: HknockServer['counted'],
): Promise<number> {
  const before = await counted('wrong', 'silent');
  const counter = ['nft', 'list', 'counter', 'inet', 'hknock_silent', 'wrong'];
  const { stdout } = await network.server.exec(counter);
  const wrong = before + Number(/packets (\d+)/.exec(stdout)?.[1]);
  return before === (await counted('wrong', 'silent')) ? wrong : wrongNumbers({ network }, counted);
}
