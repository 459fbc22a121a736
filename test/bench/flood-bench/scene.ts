import { type TwoMachines, withTwoMachines } from '../two-machines.ts';
import { Attacker } from './attacker.ts';

/** Where a system runs: the network of test/support/topology.ts, and an attacker on the wire in front of the server. */
export interface Scene extends TwoMachines {
  readonly attacker: Attacker;
}

/** Builds one. */
export function openScene(): Promise<Scene> {
  return withTwoMachines(async ({ topology }) => ({ attacker: await Attacker.start(topology) }));
}
