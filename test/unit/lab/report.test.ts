import test from 'ava';
import { formatTable } from '../../../src/cli/terminal.ts';
import { outcomeOf, trialsFor } from '../../../src/lab/judge.ts';
import { attackers, type Tally } from '../../../src/lab/model.ts';
import { changePacket, type Packet, readPacket } from '../../../src/lab/packet.ts';
import { renderReport } from '../../../src/lab/report/html.ts';
import { cellJson } from '../../../src/lab/report/json.ts';
import { complaints, tableRows } from '../../../src/lab/report/text.ts';
import { timelineOf } from '../../../src/lab/report/timeline.ts';
import type { Cell } from '../../../src/lab/run-cell.ts';
import type { Answer } from '../../../src/lab/run-table.ts';
import { schemes } from '../../../src/lab/schemes/all.ts';
import { knockd } from '../../../src/lab/schemes/knockd.ts';
import type { Passed } from '../../../src/lab/wire.ts';

const [, a1, , , , nat] = attackers;

/** 198.51.100.1:20001 to 192.0.2.2:62202, `abc` */
const fromClient = packet('4500001f00010000401190c5c6336401c00002024e21f2fa000b2a5d616263');

function packet(hex: string): Packet {
  const read = readPacket(Buffer.from(hex, 'hex'));
  if (read === null) throw new Error('not read');
  return read;
}

function passed(atUnixMs: number, more: Partial<Passed> = {}): Passed {
  return { atUnixMs, side: 'nat', packet: fromClient, fate: 'passed', ...more };
}

function cell(more: Partial<Cell> = {}, tallies: readonly Tally[] = []): Cell {
  return {
    scheme: knockd,
    attacker: a1,
    expectation: { outcome: 'falls' },
    outcome: 'falls',
    tallies,
    guessed: null,
    isAsExpected: true,
    elapsedMs: 1234.5,
    timeline: [passed(1000)],
    unkept: 0,
    ...more,
  };
}

const replayed: Tally = { attack: 'replay', successes: 1, trials: 1 };
const race: Tally = { attack: 'NAT-knocking', successes: 8, trials: 16 };

const answers: readonly Answer[] = [
  cell({}, [replayed]),
  cell(
    {
      attacker: nat,
      expectation: { outcome: 'holds' },
      outcome: 'races',
      isAsExpected: false,
    },
    [race],
  ),
  { scheme: { ...knockd, name: 'other', title: '<other>' }, attacker: a1, fault: 'no & nothing' },
];

test('the table: schemes by attackers, odds where there was a race, a mark where it is not as expected', (t) => {
  t.deepEqual(tableRows(answers), [
    ['', 'a1', 'nat'],
    ['knockd', 'falls', 'races 8/16 (28-72 %) !'],
    ['other', 'failed !', ''],
  ]);
});

test('the whole table fits a terminal of 100 columns, whoever wins the races', (t) => {
  const whole = schemes.flatMap((scheme) =>
    attackers.map((attacker) => {
      const expectation = scheme.expected[attacker.name];
      const trials = trialsFor(expectation);
      const tallies = [{ ...race, successes: trials - 1, trials }];
      return cell({ scheme, attacker, outcome: outcomeOf(tallies) }, tallies);
    }),
  );
  const longest = formatTable(tableRows(whole))
    .split('\n')
    .map(({ length }) => length);
  t.true(Math.max(...longest) <= 100, String(Math.max(...longest)));
});

test('a sentence for each cell that is not as expected', (t) => {
  t.deepEqual(complaints(answers), [
    'knockd, NAT-knocking: expected that it holds, and it races 8/16 (28-72 %) !',
    'other, A1: nothing to be seen: no & nothing',
  ]);
});

test('JSON of a cell has what was expected beside what was seen', (t) => {
  t.like(cellJson(cell({}, [replayed])), {
    scheme: 'knockd',
    attacker: 'a1',
    outcome: 'falls',
    expected: { outcome: 'falls' },
    isAsExpected: true,
    elapsedMs: 1235,
  });
});

test('what guessing takes is in JSON without loss, and in the report', (t) => {
  const guessed = { guesses: 200, looks: 15, oneIn: 2n ** 128n, perSecond: 2 ** 20 };
  const answer = cell({ guessed }, [replayed]);
  t.like(cellJson(answer), {
    guessing: { oneIn: String(2n ** 128n), looks: 15, expectedSeconds: 2 ** 108 },
  });
  t.regex(
    renderReport([answer], new Date(0)),
    /Guessing[^]*2\^128[^]*10\^25 years[^]*looked at 15/,
  );
  t.notRegex(renderReport(answers, new Date(0)), /Guessing/);
});

test('a timeline says who really sent a packet, and counts what comes again', (t) => {
  const toNeighbour = changePacket(fromClient, { sourcePort: 40_001 });
  const lines = timelineOf([
    passed(1000),
    passed(1001),
    passed(1002, { packet: toNeighbour }),
    passed(1002, { packet: changePacket(fromClient, { sourcePort: 53 }) }),
    passed(1003, { side: 'attacker', fate: 'forged' }),
    passed(1004, { fate: 'kept back' }),
  ]);
  t.deepEqual(
    lines.map(({ atMs, from, to, what, fate, times }) => [atMs, from, to, what, fate, times]),
    [
      [0, 'client', 'server', 'UDP to 62202, 3 bytes', 'passed', 2],
      [2, 'neighbour', 'server', 'UDP to 62202, 3 bytes', 'passed', 1],
      [2, 'NAT', 'server', 'UDP to 62202, 3 bytes', 'passed', 1],
      [3, 'attacker, as client', 'server', 'UDP to 62202, 3 bytes', 'forged', 1],
      [4, 'client', 'server', 'UDP to 62202, 3 bytes', 'kept back', 1],
    ],
  );
});

test('the report is one file that loads and runs nothing, and all text in it is escaped', (t) => {
  const html = renderReport(answers, new Date(0));
  t.notRegex(html, /<script|<other>|https?:|no & nothing/);
  t.regex(html, /default-src 'none'/);
  t.regex(html, /&lt;other&gt;/);
  t.regex(html, /no &amp; nothing/);
  for (const [, id = ''] of html.matchAll(/href="#([^"]+)"/g)) {
    t.is(html.split(`id="${id}"`).length, 2, `one place for ${id}`);
  }
  t.is([...html.matchAll(/href="#/g)].length, answers.length);
});
