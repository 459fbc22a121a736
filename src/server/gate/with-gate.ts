import { gateKey } from '../../admission/gate/gate-key.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import type { Clock } from '../../host/clock.ts';
import { type Door, type Firewall, plainDoor } from '../../host/firewall.ts';
import type { Log } from '../../host/log.ts';
import type { Knock } from '../../units/knock.ts';
import { isPort } from '../../units/network.ts';
import { Gate } from './gate.ts';
import { GatedFirewall } from './gated-firewall.ts';

/** A firewall, and the gate that has been put into it if the configuration asks for one. */
export interface Guarded {
  readonly firewall: Firewall;
  readonly gate: Gate | null;
}

/** Puts the gate that the configuration asks for in a firewall. It takes its port when the firewall starts. */
export function withGate(
  firewall: Firewall,
  config: Pick<ServerConfig, 'gate' | 'firewall'>,
  host: { readonly clock: Clock; readonly log: Log },
): Guarded {
  const { listen, anyAddress } = config.gate;
  const port = listen[0]?.port ?? 0;
  if (!isPort(port)) return { firewall, gate: null };
  const gate = new Gate({ listen, port, anyAddress, ...host });
  // the userspace firewall has nothing but forwarders, and would stand on the port itself
  const isShut = !anyAddress && config.firewall.backend !== 'userspace';
  return { firewall: new GatedFirewall(firewall, gate, isShut), gate };
}

/** What tells the connection that a knock gets at the gate. */
export function gateDoor({ port }: Gate, { sessionSecret }: Knock): Door {
  return { ...plainDoor, admissionPort: port, gateKey: gateKey(sessionSecret) };
}
