import test from 'ava';
import { attackers } from '../../../../src/lab/model.ts';
import type { OwnAnswer } from '../../../../src/lab/own/examine.ts';
import type { OwnFolder } from '../../../../src/lab/own/own-folder.ts';
import { ownScheme } from '../../../../src/lab/own/own-scheme.ts';
import { groupWays, type WayGroup, waysIn } from '../../../../src/lab/own/ways.ts';
import { ownJson, ownText, ownVerdict } from '../../../../src/lab/report/own.ts';
import type { Cell } from '../../../../src/lab/run-cell.ts';
import { parseToml } from '../../../../src/store/toml/document.ts';
import { own, peer } from './fixture.ts';

const text = `[firewall]
backend = "command"
[firewall.command]
open = ["/usr/local/bin/let-in"]
close = ["/usr/local/bin/shut-out"]
[services.ssh]
ports = ["tcp/22"]
admission = "address"
[services.dns]
ports = ["udp/53"]
`;
const file = '/etc/hknock/hknock.toml';
const folder: OwnFolder = {
  ...own(text, [peer('alice'), peer('bob')]),
  file,
  root: parseToml(text, { file, code: 'config' }),
};
const [group, narrow] = groupWays(waysIn(folder, ['address', 'port']));
const nat = attackers.find(({ name }) => name === 'nat');

function seen(of: WayGroup | undefined, successes: number): { group: WayGroup; answer: Cell } {
  if (of === undefined || nat === undefined) throw new Error('nothing to be seen');
  const answer: Cell = {
    scheme: ownScheme(folder, of.attacked, of.name),
    attacker: nat,
    expectation: { outcome: 'any', trials: 3 },
    outcome: successes > 0 ? 'falls' : 'holds',
    tallies: [{ attack: 'NAT-knocking', successes, trials: 3 }],
    guessed: null,
    isAsExpected: true,
    elapsedMs: 1,
    timeline: [],
    unkept: 0,
  };
  return { group: of, answer };
}

function fallen(cured: boolean): readonly OwnAnswer[] {
  const { group: part, answer } = seen(group, 3);
  const settings = [{ path: ['services', 'ssh', 'admission'], value: 'port' }] as const;
  const cure = { settings, lost: [], tried: seen(narrow, 0).answer };
  return [
    { group: part, answer, cures: [{ part, cure: cured ? cure : null }] },
    { ...seen(narrow, 0), cures: [] },
  ];
}

test('it is told who gets in, what stops him, what holds, and what is not as the operator has it', (t) => {
  const told = ownText(folder, fallen(true));
  t.true(told.includes('ssh for alice, bob: handshake, admission "address"\n'));
  t.regex(told, /NAT-knocking: A neighbour .* \(3 of 3\)\./);
  t.regex(told, /What stops it: admission = "port" in \[services\.ssh\], line 8\. Tried: it holds/);
  t.regex(
    told,
    /Holds against all who tried:\n {2}ssh for alice, bob: handshake, admission "port"/,
  );
  t.regex(told, /your commands can keep to: they are not run/);
  t.regex(told, /Not attacked:\n {2}dns: /);
});

test('where nothing helps it says so, and what else holds', (t) => {
  const told = ownText(folder, fallen(false));
  t.regex(told, /No one setting that keeps this way open stops it\./);
  t.regex(told, /As it is, what holds against this attacker: handshake, admission "port"\./);
});

test('the same as data, and as the first words of a report', (t) => {
  const { cells } = ownJson(folder, fallen(true)) as { cells: readonly object[] };
  t.like(cells[0], {
    scheme: 'handshake-address',
    attacker: 'nat',
    getsIn: true,
    stoppedBy: [
      {
        services: ['ssh'],
        settings: [{ path: ['services', 'ssh', 'admission'], value: 'port', line: 8 }],
      },
    ],
  });
  t.like(cells[1], { scheme: 'handshake-port', getsIn: false, stoppedBy: [] });
  t.is(ownVerdict(folder, fallen(true)).lines.length, 1);
  t.notRegex(JSON.stringify(ownJson(folder, fallen(true))), /Xl5e|5e5e/i);
});
