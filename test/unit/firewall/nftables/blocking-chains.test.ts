import test from 'ava';
import { netTest } from '../../../support/capabilities.ts';
import { cleanUp, Namespace } from '../../../support/netns.ts';
import { blockingChains } from '../../../../src/firewall/nftables/blocking-chains.ts';
import { formatServicePort, parseServicePort } from '../../../../src/units/network.ts';

const wanted = ['udp/62202', 'tcp/22', 'tcp/8080'].map(parseServicePort);

const all = 'udp/62202 tcp/22 tcp/8080';

/** A ruleset, and what of `wanted` each chain seems to drop. */
const cases: readonly (readonly [title: string, ruleset: string, expected: string])[] = [
  ['nothing at all', '', ''],
  [
    'a chain that accepts by default',
    'table inet filter { chain input { type filter hook input priority 0; tcp dport 25 drop; }; }',
    '',
  ],
  [
    'a chain that drops by default',
    'table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; ip saddr 10.0.0.0/8 accept; }; }',
    `inet filter input: ${all}`,
  ],
  [
    'a statement for which nft has no object',
    'table inet f { map m { type inet_service : inet_service; flags dynamic,timeout; }; chain i { type filter hook output priority 0; delete @m { tcp dport : 1 }; }; }',
    '',
  ],
  [
    'a chain that ends in a reject',
    'table ip filter { chain INPUT { type filter hook input priority 0; tcp dport 22 accept; counter reject; }; }',
    'ip filter INPUT: udp/62202 tcp/8080',
  ],
  [
    'ports, sets and ranges',
    'table inet f { chain i { type filter hook input priority 0; policy drop; tcp dport { 22, 8000-8099 } accept; udp dport 62202 counter accept; }; }',
    '',
  ],
  [
    'the right port of the wrong protocol',
    'table inet f { chain i { type filter hook input priority 0; policy drop; udp dport { 22, 8080 } accept; tcp dport 62202 accept; }; }',
    `inet f i: ${all}`,
  ],
  [
    'a rule in another chain of the table, and a named set, which may hold it',
    'table inet f { set s { type inet_service; }; chain more { udp dport @s accept; }; chain i { type filter hook input priority 0; policy drop; tcp dport { 22, 8080 } jump more; jump more; }; }',
    '',
  ],
  [
    'a verdict map on ports',
    'table inet f { chain i { type filter hook input priority 0; policy drop; tcp dport vmap { 22 : accept }; udp dport 62202 accept; }; }',
    '',
  ],
  [
    'everything accepted before the end',
    'table inet f { chain i { type filter hook input priority 0; policy drop; accept; }; }',
    '',
  ],
  [
    'other hooks, and our own table',
    'table inet f { chain o { type filter hook output priority 0; policy drop; }; }; table inet hknock { chain input { type filter hook input priority -10; policy drop; }; }',
    '',
  ],
];

netTest('finds the chains that drop what we let in', async (t) => {
  const ns = await Namespace.create('chains');
  cleanUp(t, () => ns.remove());
  for (const [title, ruleset, expected] of cases) {
    await ns.exec(['nft', '-f', '-'], { input: `flush ruleset\n${ruleset}\n` });
    const { stdout } = await ns.exec(['nft', '-j', '-t', 'list', 'ruleset']);
    const found = blockingChains(stdout, wanted).map(
      ({ chain, ports }) => `${chain}: ${ports.map(formatServicePort).join(' ')}`,
    );
    t.is(found.join('\n'), expected, title);
  }
});

test('what iptables matches in its own way may be our ports', (t) => {
  const place = { family: 'ip', table: 'filter' };
  const chain = { ...place, name: 'INPUT', hook: 'input', policy: 'drop' };
  const rule = (name: string): object => ({
    rule: { ...place, chain: 'INPUT', expr: [{ xt: { type: 'match', name } }, { accept: null }] },
  });
  const found = (name: string): number =>
    blockingChains(JSON.stringify({ nftables: [{ chain }, rule(name)] }), wanted).length;
  t.is(found('multiport'), 0);
  t.is(found('conntrack'), 1);
});
