import type { ErrorCode } from '../errors/hknock-error.ts';

/** The one table from error codes to exit codes (sysexits(3)). */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
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

/** A bug of ours. */
export const EXIT_BUG = 70;

/** What was looked for was found, as with grep(1); it is no fault. */
export const EXIT_FOUND = 1;
