import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Hand, piping } from '../../../src/lab/hand.ts';
import { type Profile, renameProfile } from '../../../src/store/profile.ts';
import { ProfileStore } from '../../../src/store/profile-store.ts';
import { here, Machine } from '../../support/machine.ts';
import { cleanUp, type ExecOptions, type Finished } from '../../support/netns.ts';
import { resident, type Resident } from '../../support/resident.ts';
import { Folder } from '../server/folder.ts';

/** For all the tests of a file: it ends with the process that runs them, which it does not keep from that. */
class SharedResident {
  #child: ChildProcess | null = null;
  #hand: Promise<Resident> | null = null;
  #users = 0;

  lendTo(t: ExecutionContext): Promise<Resident> {
    const child = (this.#child ??= here.spawn(resident, piping));
    this.#users++;
    child.ref();
    child.channel?.ref();
    cleanUp(t, () => {
      if (--this.#users > 0) return;
      child.unref();
      child.channel?.unref();
    });
    return (this.#hand ??= Hand.of(child));
  }
}

const shared = new SharedResident();

/** This machine, with a home folder of the test's own. */
export function machineOf(t: ExecutionContext): Machine {
  const machine = new Machine(here, shared.lendTo(t));
  cleanUp(t, () => machine.remove());
  return machine;
}

/** Runs a command line that may fail; whatever comes of it, no stack trace is shown. */
export async function tryIt(
  t: ExecutionContext,
  machine: Machine,
  ...[args, options]: [readonly string[], ExecOptions?]
): Promise<Finished> {
  const finished = await machine.hknock(args, { ...options, allowFailure: true });
  t.notRegex(finished.stderr, /^\s+at /m, args.join(' '));
  return finished;
}

/** A server's folder on this machine, and the profile `gate` of its peer `alice`. */
export async function furnished(
  t: ExecutionContext,
  services: readonly string[] = ['ssh', 'web'],
): Promise<{ readonly machine: Machine; readonly folder: Folder; readonly profile: Profile }> {
  const machine = machineOf(t);
  const folder = await Folder.create(t, machine.path('server'));
  const profile = await folder.addPeer('alice', { services });
  await keep(machine, profile, 'gate');
  return { machine, folder, profile };
}

/** Puts a profile where `hknock import` would. */
export async function keep(machine: Machine, profile: Profile, name: string): Promise<void> {
  const store = new ProfileStore(join(machine.path('config'), 'hknock'));
  await store.save(renameProfile(profile, name));
}

/** A TCP service for the length of a test; gives its port. */
export async function serveTcp(
  t: ExecutionContext,
  serve: (socket: Socket) => void,
): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(t, () => void server.close());
  return (server.address() as AddressInfo).port;
}
