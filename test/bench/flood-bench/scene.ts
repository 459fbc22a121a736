import { Machine } from '../../support/machine.ts';
import { natTopology, type Topology } from '../../support/topology.ts';
import { Attacker } from './attacker.ts';

/** Where a system runs: the network of test/support/topology.ts, and an attacker on the wire in front of the server. */
export interface Scene {
  readonly topology: Topology;
  readonly attacker: Attacker;
  readonly server: Machine;
  readonly client: Machine;
  remove(): Promise<void>;
}

/** Builds one. */
export async function openScene(): Promise<Scene> {
  const topology = await natTopology();
  const server = new Machine(topology.server);
  const client = new Machine(topology.client);
  const remove = async (): Promise<void> => {
    await client.remove();
    await server.remove();
    await topology.remove();
  };
  try {
    return { topology, attacker: await Attacker.start(topology), server, client, remove };
  } catch (fault) {
    await remove();
    throw fault;
  }
}
