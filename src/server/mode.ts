import type { ServerFolder } from '../config/server-folder.ts';
import type { BoundSocket } from '../dgram-ext/bound-socket.ts';
import type { Grants } from '../grants/grants.ts';
import type { KnockLimits } from '../guard/knock-limits.ts';
import type { PeerTable } from '../handshake/peer-table.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Firewall } from '../host/firewall.ts';
import type { Log } from '../host/log.ts';
import type { Knock, Outcome } from '../units/knock.ts';
import type { PeerName } from '../units/names.ts';
import type { Certificates } from './certificates.ts';
import type { FloodGate } from './flood-gate.ts';
import type { Gate } from './gate/gate.ts';
import type { KnockPort } from './knock-port.ts';

/** See `ModeContext`. */
export interface Shared {
  readonly socket: BoundSocket;
  readonly peers: PeerTable;
  readonly cookieRoot: Uint8Array;
}

/** What a mode is given to work with. */
export interface ModeContext {
  readonly folder: ServerFolder;
  /** Decides on verified knocks by policy, and opens. */
  readonly admit: (knock: Knock) => Promise<Outcome>;
  readonly grants: Grants;
  readonly firewall: Firewall;
  /** Null when the configuration has none. */
  readonly gate: Gate | null;
  /** How often a peer, and how often a source, may knock, in whatever mode. */
  readonly limits: KnockLimits;
  /** Where those join in who take knocks on the port of the others. */
  readonly port: Pick<KnockPort, 'addJudge'>;
  /** What chooses among more datagrams than can be judged. */
  readonly flood: Pick<FloodGate, 'admits' | 'expects' | 'watchGranted'>;
  /** What several threads that read knocks have in common; null when one reads alone. */
  readonly shared: Shared | null;
  /** Null when the configuration has none. */
  readonly certificates: Certificates | null;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/**
 * What runs beside the challenge-response port: another way to knock, or what stands before them all. Owns its sockets,
 * timers and child processes.
 */
export interface Mode {
  /** As the status names it. */
  readonly name: string;
  /** What has come in, by what became of it. */
  counters(): Readonly<Record<string, number>>;
  /** Takes over a folder that has changed. */
  reload(folder: ServerFolder): Promise<void>;
  /**
   * Makes strangers of peers whose files are gone, where a mode lets them in without asking policy: also when a reload takes nothing
   * else over. Does not reject.
   */
  forget?(revoked: ReadonlySet<PeerName>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a mode if the folder asks for it.
 * @throws {HknockError} when it cannot; nothing of it is left then
 */
export type StartMode = (context: ModeContext) => Promise<Mode | null>;
