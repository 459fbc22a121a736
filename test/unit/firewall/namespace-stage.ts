import test from 'ava';
import { namespaces } from '../../support/capabilities.ts';
import { link, Namespace } from '../../support/netns.ts';
import type { Agent } from './agent.ts';
import type { Bench } from './bench.ts';
import { agentIn } from './remote-agent.ts';

/**
 * client 10.77.0.2-4, fd00:77::2-4 ---- 10.77.0.1, fd00:77::1 server
 *
 * Echo services on all addresses of the server.
 */
export interface NamespaceStage {
  readonly client: Namespace;
  readonly server: Namespace;
  /** In the server's namespace. */
  readonly inside: Agent;
  readonly bench: Bench;
  readonly remove: () => Promise<void>;
}

const PORTS = [7001, 7002] as const;

/** One stage for all tests of the file that calls this, furnished before the first; it ends with them. */
export function stageForFile(
  furnish?: (stage: NamespaceStage) => Promise<void>,
): () => NamespaceStage {
  let made: NamespaceStage | null = null;
  test.before(async () => {
    if (!namespaces.available) return;
    made = await createStage();
    await furnish?.(made);
  });
  test.after.always(() => made?.remove());
  return () => {
    if (made === null) throw new Error('no stage');
    return made;
  };
}

/** Makes two namespaces joined by a wire; no firewall yet. */
async function createStage(): Promise<NamespaceStage> {
  const server = await Namespace.create('fws');
  const client = await Namespace.create('fwc');
  const remove = async (): Promise<void> => {
    await client.remove();
    await server.remove();
  };
  try {
    const ends = [2, 3, 4];
    const addresses = [
      ...ends.map((n) => `10.77.0.${String(n)}/24`),
      ...ends.map((n) => `fd00:77::${String(n)}/64`),
    ];
    await link(client, addresses, server, ['10.77.0.1/24', 'fd00:77::1/64']);
    const [agent, inside] = [agentIn(client), agentIn(server)];
    for (const port of PORTS) {
      for (const address of ['0.0.0.0', '::']) await inside.serve({ address, port });
    }
    return { client, server, inside, bench: benchOf(agent), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function benchOf(agent: Agent): Bench {
  return {
    agent,
    sources: { v4: ['10.77.0.2', '10.77.0.3', '10.77.0.4'], v6: ['fd00:77::2', 'fd00:77::3'] },
    server: { v4: '10.77.0.1', v6: 'fd00:77::1' },
    ports: PORTS,
    closed: ['silent'],
    protect: (port) => ({ service: 'echo' as never, port, upstream: null }),
  };
}
