import { netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, enrol } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';

const programs = { nftables: ['nft', 'conntrack'], iptables: ['iptables', 'ipset', 'conntrack'] };

for (const [backend, needed] of Object.entries(programs)) {
  netTestWith(...needed)(
    `${backend}: a closed grant's connections end when that is asked for, and nobody else's`,
    async (t) => {
      const { server, client, neighbour } = await deploy(t, {
        ttl: '60s',
        configure: (text) =>
          text
            .replace('backend = "nftables"', `backend = "${backend}"`)
            .replace('\nadmission = "once"', '\nadmission = "address"'),
      });
      await enrol(server, neighbour, { peer: 'bob', services: 'web' });
      // one after the other: of two grants that wait for one address, either connection may take either (decision 5)
      const bob = await Conversation.begin(neighbour, '--admission', 'once');
      const once = await Conversation.begin(client, '--admission', 'once');
      const wide = await Conversation.begin(client, '--admission', 'address');
      t.deepEqual(await alive(bob, once, wide), [true, true, true]);

      await server.hknock(['close', await grantOf(server, 'alice'), '--cut']);
      t.deepEqual(await alive(bob, once, wide), [true, false, false]);
      await server.hknock(['close', '--peer', 'bob', '--cut']);
      t.deepEqual(await alive(bob), [false], 'a cut needs no grant');
    },
  );
}

async function grantOf(server: Machine, wanted: string): Promise<string> {
  const grants = (await ask(server, 'grants')) as readonly { id: string; peer: string }[];
  return grants.find(({ peer }) => peer === wanted)?.id ?? 'none';
}

function alive(...conversations: readonly Conversation[]): Promise<readonly boolean[]> {
  return Promise.all(conversations.map((each) => each.isAlive()));
}
