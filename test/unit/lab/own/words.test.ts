import test from 'ava';
import { groupWays, waysIn } from '../../../../src/lab/own/ways.ts';
import { settingText, wayTitle, whoseTitle } from '../../../../src/lab/own/words.ts';
import { parseToml } from '../../../../src/store/toml/document.ts';
import { own, peer } from './fixture.ts';

const text = `[policy]
ttl = "30s"

[services.ssh]
ports = ["tcp/22"]
admission = "once"
`;

test('a setting is named with its table and line, or where it is to go', (t) => {
  const root = parseToml(text, { file: 'hknock.toml', code: 'config' });
  const told = (path: readonly [string, ...string[]], value: string): string =>
    settingText({ path, value }, root);
  t.is(
    told(['services', 'ssh', 'admission'], 'gate'),
    'admission = "gate" in [services.ssh], line 6',
  );
  t.is(
    told(['policy', 'admission'], 'port'),
    'admission = "port" in [policy], a new line below line 1',
  );
  t.is(told(['gate', 'listen'], 'x'), 'listen = "x" in [gate], a new table');
});

test('a way is named for those who have it, and of many some', (t) => {
  const peers = ['alice', 'bob', 'carol', 'dave', 'erin'].map((name) => peer(name));
  const [group] = groupWays(waysIn(own(text, peers), ['once']));
  t.is(group && wayTitle(group.attacked), 'handshake, admission "once"');
  t.is(group && whoseTitle(group.ways), 'ssh for alice, bob, carol, dave and 1 more');
});
