// What the sKnock paper (Sel, Totakura and Carle) says of ways of knocking, beside what the laboratory expects, and finds, of those
// it attacks; and the table in README.md.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { type AttackerName, attackers, type Outcome } from '../../../src/lab/model.ts';
import type { Scheme } from '../../../src/lab/scheme.ts';
import { schemes } from '../../../src/lab/schemes/all.ts';

interface Claim {
  readonly section: string;
  readonly of: RegExp;
  readonly attacker: AttackerName;
  readonly outcome: Outcome;
}

const fixedSequences = /^(knockd|fixed|fwknop-shared)$/;
const withAddress = /^(encrypted|fwknop-encrypted|fwknop|hknock-fwknop-.*)$/;
const handshakes = /^(hknock-(address|once|port|bound|gate)|certificate-.*)$/;
const encrypting = /^(encrypted|fwknop.*|hknock-.*|certificate-.*|sknock-.*)$/;

const claims: readonly Claim[] = [
  { section: 'III', of: fixedSequences, attacker: 'a1', outcome: 'falls' },
  { section: 'III', of: /^totp-/, attacker: 'a1', outcome: 'holds' },
  { section: 'III', of: /^totp-/, attacker: 'a1a2', outcome: 'falls' },
  { section: 'III', of: withAddress, attacker: 'a1a2', outcome: 'holds' },
  { section: 'III', of: withAddress, attacker: 'nat', outcome: 'falls' },
  // of the handshake after Aycock and others
  { section: 'III', of: handshakes, attacker: 'a1a2', outcome: 'holds' },
  // of SilentKnock, and of Knock, which goes on to authenticate the connection
  { section: 'III', of: /^hknock-silent/, attacker: 'a1', outcome: 'holds' },
  { section: 'III', of: /^hknock-silent-gate$/, attacker: 'a1a2a3', outcome: 'holds' },
  // once the client's secret, or its certificate, is good no more
  { section: 'III', of: /./, attacker: 'b2', outcome: 'holds' },
  { section: 'IV', of: /^sknock-/, attacker: 'a1', outcome: 'holds' },
  { section: 'IV', of: /^sknock-/, attacker: 'a1a2', outcome: 'holds' },
  { section: 'VI.A', of: /^sknock-/, attacker: 'nat', outcome: 'unusable' },
  { section: 'VI.B', of: encrypting, attacker: 'dos', outcome: 'falls' },
  { section: 'VI.B', of: /^sknock-/, attacker: 'a1a2a3', outcome: 'falls' },
];

const rows = new Map(
  readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter(([, name]) => schemes.some((scheme) => scheme.name === name))
    .map(([, name = '', ...cells]) => [name, cells.slice(0, attackers.length)]),
);

test('the table in the README is what is expected; a star is where the sKnock paper says otherwise', (t) => {
  const cellOf = (scheme: Scheme, attacker: AttackerName): string =>
    `${scheme.expected[attacker].outcome}${differs(scheme, attacker) ? ' *' : ''}`;
  for (const scheme of schemes) {
    const expected = attackers.map(({ name }) => cellOf(scheme, name));
    t.deepEqual(rows.get(scheme.name), expected, scheme.name);
  }
});

test('each claim of the paper is of some scheme', (t) => {
  for (const { of, section } of claims) {
    t.true(
      schemes.some(({ name }) => of.test(name)),
      `${section}: ${String(of)}`,
    );
  }
});

function differs({ name, expected }: Scheme, attacker: AttackerName): boolean {
  return claims.some(
    (claim) =>
      claim.attacker === attacker &&
      claim.of.test(name) &&
      claim.outcome !== expected[attacker].outcome,
  );
}
