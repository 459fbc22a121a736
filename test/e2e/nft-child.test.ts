import { netTest } from '../support/capabilities.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { tableIn } from '../support/ruleset.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

netTest(
  'nft killed in mid-run: the next knock is granted, and grants and rules are kept',
  async (t) => {
    const { server, client, daemon } = await deploy(t);
    const nft = async (): Promise<readonly string[]> => {
      // others read the shield's counters, and end
      const find = ['pgrep', '-P', String(daemon.child.pid), '-f', 'nft -i'];
      return (await server.place.exec(find, { allowFailure: true })).stdout
        .split('\n')
        .filter(Boolean);
    };
    t.true((await knock(client)).granted);
    const rules = await tableIn(server.place, 'inet hknock');
    const before = await nft();
    t.is(before.length, 1);
    process.kill(Number(before[0]), 'SIGKILL');

    t.true((await knock(client)).granted);
    const after = await nft();
    t.is(after.length, 1);
    t.notDeepEqual(after, before);
    t.is(await tableIn(server.place, 'inet hknock'), rules);
    const target = { address: addresses.server, port: servicePort };
    const seen = [await visit(client, target), await visit(client, target)];
    t.deepEqual(seen, [welcome, welcome], 'the grant from before, and the one from after');
    t.is(await visit(client, target), 'no answer');
  },
);
