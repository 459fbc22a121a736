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

/** Puts the report in a frame as wide as a telephone, and writes down whether it fits there, and which parts are open. */
const measuring = `<!doctype html><body><iframe src="report.html#hknock-gate-nat" width="360" height="800"></iframe>
<script>
  onload = () => {
    const { scrollingElement, querySelectorAll } = frames[0].document;
    const open = querySelectorAll.call(frames[0].document, 'details[open] > summary');
    document.body.textContent = JSON.stringify({
      fits: scrollingElement.scrollWidth <= scrollingElement.clientWidth,
      open: [...open].map((each) => each.textContent),
    });
  };
</script>`;

netTestWith('chromium')(
  'lab: on a telephone the report needs no sideways scrolling, and a cell opens its packets',
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
      `--user-data-dir=${folder}/own`,
    ];
    const page = `file://${folder}/measuring.html`;
    const argv = ['chromium', ...options, '--allow-file-access-from-files', '--dump-dom', page];
    const { stdout } = await execute(['env', `HOME=${folder}`, ...argv], { timeoutMs: 90_000 });
    const seen = /\{.*\}/.exec(stdout)?.[0] ?? '{}';
    t.deepEqual(JSON.parse(seen), {
      fits: true,
      open: ['hknock, admission gate: NAT-knocking'],
    });
  },
);
