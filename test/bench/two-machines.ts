import { Machine } from '../support/machine.ts';
import { natTopology, type Topology } from '../support/topology.ts';

/** A server, and a client behind a NAT. */
export interface TwoMachines {
  readonly topology: Topology;
  readonly server: Machine;
  readonly client: Machine;
  readonly remove: () => Promise<void>;
}

/** Makes something of two machines; when that fails, nothing of them is left. */
export async function withTwoMachines<T>(
  build: (machines: TwoMachines) => Promise<T>,
): Promise<T & TwoMachines> {
  const topology = await natTopology();
  const server = new Machine(topology.server);
  const client = new Machine(topology.client);
  const remove = async (): Promise<void> => {
    await client.remove();
    await server.remove();
    await topology.remove();
  };
  const machines = { topology, server, client, remove };
  try {
    return { ...machines, ...(await build(machines)) };
  } catch (fault) {
    await remove();
    throw fault;
  }
}
