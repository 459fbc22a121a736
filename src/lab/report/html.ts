import { worstOf } from '../judge.ts';
import { attacks } from '../attacks/all.ts';
import { attackers } from '../model.ts';
import type { Cell } from '../run-cell.ts';
import { type Answer, isFailure } from '../run-table.ts';
import type { Scheme } from '../scheme.ts';
import { escapeHtml } from './escape.ts';
import { guessRows, guessText } from './guesses.ts';
import { drawNetwork } from './picture.ts';
import { style } from './style.ts';
import { complaints, expectationText, outcomeText } from './text.ts';
import { type Line, timelineOf } from './timeline.ts';

/** Longer timelines end with how many lines there are more. */
const MAX_LINES = 120;

/** What a report says before all else. */
export interface Verdict {
  readonly sentence: string;
  readonly lines: readonly string[];
}

/** The whole run as one file that loads nothing from anywhere. */
export function renderReport(
  answers: readonly Answer[],
  when: Date,
  { sentence, lines } = comparison(answers),
): string {
  const schemes = [...new Set(answers.map(({ scheme }) => scheme))];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>hknock lab: who gets in</title>
<style>${style}</style>
<h1>Who gets in</h1>
<p>Ways of knocking, and attackers who tried to get by them, as programs in network namespaces on ${escapeHtml(when.toISOString())}.
Each cell is what happened. Choose one to see the packets.</p>
<p><strong>${escapeHtml(sentence)}</strong></p>
<ul>${lines.map((each) => `<li>${escapeHtml(each)}</li>`).join('')}</ul>
${drawNetwork()}
<p>B1 knows how knocking is done here, looks for the server, and guesses. A1 records and sends again. A2 changes and keeps back. A3 sends and receives for any address. B2 was a client until it was shut out.
NAT-knocking: a neighbour with the client’s public address. DoS-knocking: a few packets, and then a flood, that look like knocks.</p>
<table class="table"><thead><tr><th>scheme</th>${attackers.map(({ title }) => `<th>${escapeHtml(title)}</th>`).join('')}</tr></thead>
<tbody>
${schemes.map((scheme) => renderRow(scheme, answers)).join('\n')}
</tbody></table>
${renderGuesses(answers)}
<h2>Packets</h2>
${schemes.map((scheme) => renderPackets(scheme, answers)).join('\n')}
</html>
`;
}

function comparison(answers: readonly Answer[]): Verdict {
  const lines = complaints(answers);
  const sentence =
    lines.length === 0
      ? `All ${String(answers.length)} cells are as expected.`
      : `${String(lines.length)} of ${String(answers.length)} cells are not as expected:`;
  return { sentence, lines };
}

function renderGuesses(answers: readonly Answer[]): string {
  const [head, ...rows] = guessRows(answers);
  if (head === undefined) return '';
  const cells = (row: readonly string[], tag: string): string =>
    row.map((each) => `<${tag}>${escapeHtml(each)}</${tag}>`).join('');
  return `<h2>Guessing</h2>
<p>How many guesses of B1’s there are for one that is right, how many he sent in a second, how many of one address the scheme looks at in a day, and how long it takes on average.</p>
<div class="wide"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>
${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n')}
</tbody></table></div>`;
}

function renderRow(scheme: Scheme, answers: readonly Answer[]): string {
  const cells = attackers.map(({ name, title }) => {
    const answer = answers.find((each) => each.scheme === scheme && each.attacker.name === name);
    const content = answer === undefined ? '' : renderCell(answer);
    return `<td data-attacker="${escapeHtml(title)}">${content}</td>`;
  });
  return `<tr><th scope="row">${escapeHtml(scheme.title)}</th>${cells.join('')}</tr>`;
}

function renderCell(answer: Answer): string {
  const link = (content: string, classes: string): string =>
    `<a class="cell ${classes}" href="#${idOf(answer)}">${content}</a>`;
  if (isFailure(answer)) return link('failed', 'falls unexpected');
  const { outcome, isAsExpected } = answer;
  return link(`${outcome}${renderOdds(answer)}`, `${outcome}${isAsExpected ? '' : ' unexpected'}`);
}

function renderOdds({ tallies }: Cell): string {
  const worst = worstOf(tallies);
  if (worst === null || worst.tally.trials === 1) return '';
  const { tally, odds } = worst;
  const [low, high] = [odds.low, odds.high].map((each) => (100 * each).toFixed(0));
  return `<small>${String(tally.successes)} of ${String(tally.trials)}; ${low ?? ''} to ${high ?? ''} %</small>`;
}

// a link to what is inside a closed <details> opens it, and all that it is in (HTML, "ancestor revealing algorithm")
function renderPackets(scheme: Scheme, answers: readonly Answer[]): string {
  const own = answers.filter((each) => each.scheme === scheme);
  return `<details><summary>${escapeHtml(scheme.title)}</summary>
${own.map(renderDetails).join('\n')}
</details>`;
}

function renderDetails(answer: Answer): string {
  const title = `${answer.scheme.title}: ${answer.attacker.title}`;
  return `<details><summary>${escapeHtml(title)}</summary><div id="${idOf(answer)}">
${isFailure(answer) ? `<p>${escapeHtml(answer.fault)}</p>` : renderSeen(answer)}
</div></details>`;
}

function renderSeen(cell: Cell): string {
  const { tallies, guessed, expectation, outcome, elapsedMs } = cell;
  const tried = tallies.map(({ attack, successes, trials }) => {
    const success = attacks.find(({ name }) => name === attack)?.success ?? '';
    return `<li><strong>${escapeHtml(attack)}</strong>, ${String(successes)} of ${String(trials)}. It succeeds when: ${escapeHtml(success)}</li>`;
  });
  const expected =
    expectation.outcome === 'any' ? '' : `; expected that it ${expectationText(expectation)}`;
  return `<p>It ${outcomeText(outcome)}${expected}. ${(elapsedMs / 1000).toFixed(1)} s.</p>
<ul>${tried.join('')}</ul>
${guessed === null ? '' : `<p>${escapeHtml(guessText(guessed))}</p>\n`}${renderTimeline(cell)}`;
}

function renderTimeline({ timeline, unkept }: Cell): string {
  const lines = timelineOf(timeline);
  const more = lines.length - MAX_LINES + unkept;
  const end = more > 0 ? `<p>And ${String(more)} more.</p>` : '';
  return `<div class="timeline"><table><tbody>${lines.slice(0, MAX_LINES).map(renderLine).join('\n')}</tbody></table></div>${end}`;
}

function renderLine({ atMs, from, to, what, fate, times }: Line): string {
  const often = times > 1 ? ` × ${String(times)}` : '';
  const became = fate === 'passed' ? '' : fate;
  const cells = [`${String(atMs)} ms`, `${from} → ${to}`, `${what}${often}`, became];
  return `<tr class="${fate.split(' ', 1)[0] ?? ''}">${cells.map((each) => `<td>${escapeHtml(each)}</td>`).join('')}</tr>`;
}

function idOf({ scheme, attacker }: Answer): string {
  return `${scheme.name}-${attacker.name}`;
}
