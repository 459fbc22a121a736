import type { DatagramCounters } from '../host/datagram-socket.ts';
import type { CertificatesStatus } from './certificates.ts';
import type { OverloadStatus } from './flood-gate.ts';
import type { KnockCounters } from './knock-port.ts';

/** What `hknock status` shows. */
export interface ServerStatus {
  readonly uptimeMs: number;
  readonly listen: readonly string[];
  readonly firewall: string;
  readonly peers: number;
  readonly services: number;
  readonly grants: number;
  readonly replayRecords: number;
  readonly knocks: KnockCounters;
  readonly overload: OverloadStatus;
  readonly datagrams: DatagramCounters;
  /** With a gate: what has come in to it, and how many are there now. */
  readonly gate?: Readonly<Record<string, number>>;
  /** Where the server takes certificates: the authority, and the list of who is revoked. */
  readonly certificates?: CertificatesStatus;
  /** The other ways to knock that are on, each with its counters. */
  readonly modes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
