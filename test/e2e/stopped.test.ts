import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { until } from '../support/netns.ts';
import { tableIn, tablesIn } from '../support/ruleset.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

const theirs = `
  table inet theirs {
    set friends { type ipv4_addr; elements = { 192.0.2.7 } }
    chain input { type filter hook input priority 0; ip saddr @friends counter accept; }
  }
  table ip hknock { chain input { type filter hook input priority 5; tcp dport 9 drop; }
  }`;

netTest('SIGTERM takes our table away and leaves those of others as they are', async (t) => {
  const { server, client, daemon } = await deploy(t);
  await server.place.exec(['nft', '-f', '-'], { input: theirs });
  const before = await Promise.all(
    ['inet theirs', 'ip hknock'].map((table) => tableIn(server.place, table)),
  );
  t.true((await knock(client)).granted);
  const ours = ['inet hknock', 'inet hknock_shield'];
  t.deepEqual(await tablesIn(server.place), [...ours, 'inet theirs', 'ip hknock']);

  await daemon.end('SIGTERM');
  t.is(daemon.child.exitCode, 0);
  t.deepEqual(await tablesIn(server.place), ['inet theirs', 'ip hknock']);
  const after = await Promise.all(
    ['inet theirs', 'ip hknock'].map((table) => tableIn(server.place, table)),
  );
  t.deepEqual(after, before);
  t.is(await visit(client, target), welcome, 'open, as if we had never been');
});

netTest('with on_stop = "shut" the port stays shut, and connections live on', async (t) => {
  const { client, daemon } = await deploy(t, {
    configure: (text) => text.replace('on_stop = "open"', 'on_stop = "shut"'),
  });
  const conversation = await Conversation.begin(client, 'web');
  t.true((await knock(client)).granted);
  await daemon.end('SIGTERM');
  t.is(await visit(client, target), 'no answer', 'the open grant has ended as well');
  t.true(await conversation.isAlive());
});

netTest('a table that somebody flushed comes back, with a knock or without', async (t) => {
  const { server, client } = await deploy(t);
  const conversation = await Conversation.begin(client, 'web');
  const flush = ['nft', 'flush', 'ruleset'];

  await server.place.exec(flush);
  t.true((await knock(client)).granted);
  const restored = await tableIn(server.place, 'inet hknock');
  t.is(await visit(client, target), welcome);
  t.is(await visit(client, target), 'no answer');

  await server.place.exec(flush);
  const isBack = async () => (await tablesIn(server.place)).includes('inet hknock');
  await until(isBack, 'the table to come back', 12_000);
  t.is(await tableIn(server.place, 'inet hknock'), restored);
  t.is(await visit(client, target), 'no answer');
  t.true(await conversation.isAlive());
});
