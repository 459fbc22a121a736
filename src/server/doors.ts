import { AdmissionPorts } from '../admission/admission-ports.ts';
import { initialSequence } from '../admission/initial-sequence.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import { type Door, plainDoor } from '../host/firewall.ts';
import type { Plan } from '../policy/policy.ts';
import type { Knock } from '../units/knock.ts';
import type { Port } from '../units/network.ts';
import type { Gate } from './gate/gate.ts';
import { gateDoor } from './gate/with-gate.ts';

export interface DoorsOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly gate: Gate | null;
  /** As it is now. The range of ports is that of the start, as for the firewall. */
  readonly config: () => ServerConfig;
}

/** What tells the connection of each grant from others; null when no port is free for it. */
export function createDoors({
  clock,
  entropy,
  gate,
  config,
}: DoorsOptions): (plan: Plan, knock: Knock) => Door | null {
  const { admission, limits } = config();
  const ports = new AdmissionPorts({
    clock,
    entropy,
    range: admission.ports,
    capacity: limits.grants,
  });
  return ({ admission: granted, source, lifetimeMs }, knock) => {
    switch (granted) {
      case 'port': {
        const { entrance } = knock;
        if (entrance !== undefined) {
          ports.take(source, lifetimeMs, entrance);
          return { ...plainDoor, admissionPort: entrance };
        }
        const isUsed = (port: Port): boolean => isConfigured(config(), port);
        const admissionPort = ports.draw(source, lifetimeMs, isUsed);
        return admissionPort === null ? null : { ...plainDoor, admissionPort };
      }
      case 'bound':
        return { ...plainDoor, initialSequence: initialSequence(knock.sessionSecret) };
      case 'gate':
        return gate === null ? plainDoor : gateDoor(gate, knock);
      default:
        return plainDoor;
    }
  };
}

/** Whether a port has another use than to lead to a service once. */
export function isConfigured(
  { listen, gate, fwknop, services }: ServerConfig,
  port: Port,
): boolean {
  return (
    [...listen, ...gate.listen, ...fwknop.listen].some((each) => each.port === port) ||
    [...services.values()].some(({ ports }) => ports.some((each) => each.port === port))
  );
}
