/**
 * hknock as a library: knock at a server, connect through the door, run a server.
 *
 * @module
 */
export { parsePrefix } from './bytes/prefix.ts';
export {
  type CertificateAccess,
  type CertificateFiles,
  readCertificateAccess,
} from './client/certificate-access.ts';
export { connectGranted } from './client/connect.ts';
export { type Held, holdGrant, type HoldOptions } from './client/hold.ts';
export {
  knock,
  type KnockGranted,
  type KnockOptions,
  type KnockRefused,
  type KnockResult,
} from './client/knock.ts';
export {
  createKnocker,
  type Knocker,
  type KnockerOptions,
  type SknockSent,
} from './client/knocker.ts';
export { knockForBest } from './client/ladder.ts';
export type { Lease } from './client/lease.ts';
export { connectSilently, type SilentOptions } from './client/silent.ts';
export { type ErrorCode, HknockError } from './errors/hknock-error.ts';
export type { RefusalReason } from './errors/refusal-reason.ts';
export { runServer, type RunningServer } from './server/run.ts';
export { formatEnrolmentUri, parseEnrolmentUri } from './store/enrolment-uri.ts';
export { readProfileFile } from './store/profile-file.ts';
export { ProfileStore } from './store/profile-store.ts';
export type { Profile } from './store/profile.ts';
export type { Admission } from './units/admission.ts';
export type { Endpoint, IpAddress, Port, Prefix, Protocol, ServicePort } from './units/network.ts';
export type { GrantId, PeerName, ServiceName } from './units/names.ts';
