import type { PeerName, ServiceName } from '../units/names.ts';
import type { ServicePort } from '../units/network.ts';

/** What a server tells a scheme that its file has set up. */
export interface SchemeContext {
  /** As the file is called. */
  readonly name: string;
  /** Whose grants its knocks are. */
  readonly peer: PeerName;
  /** The service that has a port; null when none has. */
  readonly serviceOf: (port: ServicePort) => ServiceName | null;
  /** The latest step that has counted for a credential of the scheme's; null when none has. */
  readonly latestOf: (credential: string) => number | null;
}
