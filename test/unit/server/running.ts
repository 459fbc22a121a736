import type { ExecutionContext } from 'ava';
import type { CertificateAccess } from '../../../src/client/certificate-access.ts';
import { knock, type KnockOptions, type KnockResult } from '../../../src/client/knock.ts';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import type { StartMode } from '../../../src/server/mode.ts';
import { Server } from '../../../src/server/server.ts';
import type { Profile } from '../../../src/store/profile.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { createHastyClock } from '../client/hasty-clock.ts';
import type { Folder } from './folder.ts';

/** A server on real loopback UDP, with a firewall and a clock of the test's. */
export interface Running {
  readonly server: Server;
  readonly firewall: FakeFirewall;
  readonly clock: FakeClock;
  readonly log: FakeLog;
}

interface Extra {
  /** What the wall clock shows at the start. */
  readonly unixMs?: number;
  readonly modes?: readonly StartMode[];
}

/** What a server is started with. */
export function partsFor(folder: Folder, { unixMs, modes = [] }: Extra = {}) {
  const clock = new FakeClock(unixMs);
  const firewall = new FakeFirewall(clock);
  const log = new FakeLog();
  const options = {
    directory: folder.path,
    createFirewall: () => firewall,
    modes,
    clock,
    entropy: createSystemEntropy(),
    log,
  };
  return { clock, firewall, log, options };
}

/** Runs a server for the length of a test. */
export async function run(
  t: ExecutionContext,
  folder: Folder,
  extra: Extra = {},
): Promise<Running> {
  const { options, ...parts } = partsFor(folder, extra);
  const server = await Server.start(options);
  t.teardown(() => server.stop());
  return { server, ...parts };
}

/** Knocks for a service, `ssh` if not said, with the system's clock. */
export function knockFor(
  profile: Profile | CertificateAccess,
  service = 'ssh',
  options: KnockOptions = {},
): Promise<KnockResult> {
  return knock(profile, { service: parseServiceName(service), ...options });
}

/** `granted`, or the reason of the refusal, or the code of the fault: `no-answer` after a fifth of a second. */
export async function outcomeOf(
  profile: Profile | CertificateAccess,
  service = 'ssh',
): Promise<string> {
  try {
    const result = await knockFor(profile, service, { clock: createHastyClock() });
    return result.granted ? 'granted' : result.reason;
  } catch (fault) {
    if (fault instanceof HknockError) return fault.code;
    throw fault;
  }
}
