import type { Admission, Breadth } from './admission.ts';
import type { GrantId, PeerName, ServiceName } from './names.ts';
import type { Endpoint, Port, ServicePort } from './network.ts';
import type { DurationMs } from './time.ts';
import type { RefusalReason } from '../errors/refusal-reason.ts';

/**
 * A verified wish to be let in: what every mode ends in and all that policy sees.
 * Whoever holds one may rely on the peer's proof having been checked over every field.
 */
export interface Knock {
  readonly peer: PeerName;
  readonly service: ServiceName;
  /** What the initiator asked for; null leaves it to the policy. */
  readonly admission: Admission | null;
  /** Asked for: a grant for the prefix of where the knock came from; for that address alone if not said. */
  readonly breadth?: Breadth;
  /** Where the knock came from, as the responder saw it. */
  readonly observed: Endpoint;
  /** Where the initiator believes it is; null when it did not say. */
  readonly claimed: Endpoint | null;
  /** 32 bytes known to both sides only (P12). */
  readonly sessionSecret: Uint8Array;
  /** Nobody answers the client, so it can use what goes by the source alone, or by a port that it has named itself. */
  readonly isUntold?: true;
  /** With admission `port`: the port that is to lead to the service, where a mode lets the client choose it. */
  readonly entrance?: Port;
  /**
   * The ports that the credential itself allows, where it does, as a certificate can: then these count, and no peer's file.
   */
  readonly authorised?: readonly ServicePort[];
  /** Asked for: no longer than this; what policy says if not said, and at most that. */
  readonly lifetimeMs?: DurationMs;
  /** The one port of the service that is wanted, where a mode names a port; all of them if not said. */
  readonly port?: ServicePort;
}

/** What became of a knock, to be told to the initiator. */
export type Outcome = Granted | Refused;

export interface Granted {
  readonly kind: 'granted';
  readonly grant: GrantId;
  readonly admission: Admission;
  readonly lifetimeMs: DurationMs;
  /** With `port` and `gate`: where to connect in place of the service's port; null with the others. */
  readonly admissionPort: Port | null;
  /** At least 1, at most MAX_SERVICE_PORTS. */
  readonly ports: readonly ServicePort[];
  /** For the observed address alone if not said. */
  readonly breadth?: Breadth;
}

export interface Refused {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  /** With `admission-refused`: what would be accepted; otherwise empty. */
  readonly acceptable: readonly Admission[];
}

/** A refusal as it goes into the Grant message. */
export function refuse(reason: RefusalReason, acceptable: readonly Admission[] = []): Refused {
  return { kind: 'refused', reason, acceptable };
}
