import { netTest } from '../support/capabilities.ts';
import { type Knocked, ask, deploy, knock, servicePort } from '../support/deployment.ts';
import { startRelay } from '../support/relay.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const KNOCKS = 4;

// The relay's longest way there and back is longer than the first wait of the initiator: it sends again, too.
const conditions = { duplication: 0.6, minDelayMs: 0, maxDelayMs: 250 };

netTest('late, out of order and twice: each knock opens exactly one grant', async (t) => {
  const { topology, server, client } = await deploy(t);
  await startRelay(topology, { port: 62_202, ...conditions });

  const knocked: Knocked[] = [];
  for (let i = 0; i < KNOCKS; i++) knocked.push(await knock(client));
  t.true(knocked.every(({ granted }) => granted));

  const grants = (await ask(server, 'grants')) as { id: string }[];
  const ids = (list: readonly string[]): readonly string[] => [...list].sort();
  t.deepEqual(ids(grants.map(({ id }) => id)), ids(knocked.map(({ grant }) => grant)));
  t.like(await ask(server, 'status'), { knocks: { granted: KNOCKS, refused: 0 } });

  const target = { address: addresses.server, port: servicePort };
  const seen: string[] = [];
  for (let i = 0; i <= KNOCKS; i++) seen.push(await visit(client, target));
  t.deepEqual(seen, [...knocked.map(() => welcome), 'no answer'], 'as many connections as knocks');
});
