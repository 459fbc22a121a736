// The laboratory's report in a browser: Debian's Chromium, without a screen.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attackers } from '../../src/lab/model.ts';
import { renderReport } from '../../src/lab/report/html.ts';
import type { Answer } from '../../src/lab/run-table.ts';
import { schemes } from '../../src/lab/schemes/all.ts';
import { netTestWith } from '../support/capabilities.ts';
import { cleanUp, execute } from '../support/netns.ts';

const tally = { attack: 'NAT-knocking', successes: 8, trials: 16 };

/** A cell for each scheme and attacker, with the widest text that one can have. */
const answers: readonly Answer[] = schemes.flatMap((scheme) =>
  attackers.map((attacker) => ({
    scheme,
    attacker,
    expectation: { outcome: 'holds' },
    outcome: 'races',
    tallies: [tally],
    guessed: { guesses: 200, looks: 200, oneIn: 2n ** 256n, perSecond: 10_000, perDay: 184_320 },
    isAsExpected: false,
    elapsedMs: 1000,
    timeline: [],
    unkept: 7,
  })),
);

/**
 * Puts the report in a frame as wide as a telephone, and writes down whether it fits there, which parts are open, what it has loaded,
 * and the cells that are not opened, with all that they are in, when they are chosen.
 */
const measuring = `<!doctype html><body><iframe src="report.html#hknock-gate-nat" width="360" height="800"></iframe>
<script>
  onload = async () => {
    const { document: report, performance } = frames[0];
    const { scrollingElement } = report;
    const closed = () => [...report.querySelectorAll('details:not([open])')];
    const open = [...report.querySelectorAll('details[open] > summary')];
    const seen = {
      fits: scrollingElement.scrollWidth <= scrollingElement.clientWidth,
      open: open.map((each) => each.textContent),
      loaded: performance.getEntriesByType('resource').length,
      unopened: [],
    };
    const cells = [...report.querySelectorAll('a.cell')];
    for (const { hash } of cells) {
      frames[0].location.hash = hash;
      await new Promise((resolve) => setTimeout(resolve, 1));
      const packets = report.querySelector(hash);
      if (!packets || closed().some((each) => each.contains(packets))) seen.unopened.push(hash);
    }
    document.body.textContent = JSON.stringify({ ...seen, cells: cells.length });
  };
</script>`;

netTestWith('chromium')(
  'lab: on a telephone the report needs no sideways scrolling, and each cell opens its packets',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hknock-report-'));
    cleanUp(t, () => {
      rmSync(folder, { recursive: true });
    });
    writeFileSync(join(folder, 'report.html'), renderReport(answers, new Date()));
    writeFileSync(join(folder, 'measuring.html'), measuring);
    const options = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--virtual-time-budget=60000',
      `--user-data-dir=${folder}/own`,
    ];
    const page = `file://${folder}/measuring.html`;
    const argv = ['chromium', ...options, '--allow-file-access-from-files', '--dump-dom', page];
    const { stdout } = await execute(['env', `HOME=${folder}`, ...argv], { timeoutMs: 90_000 });
    const seen = /\{.*\}/.exec(stdout)?.[0] ?? '{}';
    t.deepEqual(JSON.parse(seen), {
      fits: true,
      open: ['hknock, admission gate', 'hknock, admission gate: NAT-knocking'],
      loaded: 0,
      unopened: [],
      cells: answers.length,
    });
  },
);
