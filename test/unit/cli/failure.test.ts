import test from 'ava';
import { reportFailure } from '../../../src/cli/failure.ts';
import { type ErrorCode, HknockError } from '../../../src/errors/hknock-error.ts';

// sysexits(3), as the command line promises them
const promised: Readonly<Record<ErrorCode, number>> = {
  usage: 64,
  'bad-input': 65,
  'no-answer': 69,
  connection: 69,
  host: 69,
  bind: 69,
  firewall: 69,
  limit: 69,
  protocol: 76,
  refused: 77,
  'unexpected-address': 77,
  config: 78,
};

/** What a call writes to standard error. */
function said(call: () => void): string {
  const lines: unknown[] = [];
  const write = console.error;
  console.error = (...args) => void lines.push(...args);
  try {
    call();
  } finally {
    console.error = write;
  }
  return lines
    .map((each) => (each instanceof Error ? (each.stack ?? '') : String(each)))
    .join('\n');
}

for (const [code, exitCode] of Object.entries(promised) as [ErrorCode, number][]) {
  test.serial(`'${code}' ends with ${String(exitCode)}, a sentence and a hint`, (t) => {
    const fault = new HknockError(code, 'It is so.', { hint: 'do this' });
    const text = said(() => {
      t.is(reportFailure(fault, { debug: false }), exitCode);
    });
    t.is(text, 'hknock: It is so.\n  do this');
  });
}

test.serial('a bug of ours ends with 70 and shows no stack', (t) => {
  const text = said(() => {
    t.is(reportFailure(new TypeError('x is undefined'), { debug: false }), 70);
  });
  t.notRegex(text, /TypeError|^\s+at /m);
});

test.serial('--debug shows where a fault came from', (t) => {
  const text = said(() => {
    t.is(reportFailure(new HknockError('host', 'It is so.'), { debug: true }), 69);
  });
  t.regex(text, /^\s+at /m);
});
