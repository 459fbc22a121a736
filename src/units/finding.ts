/** What a look at this machine found. */
export interface Finding {
  /** `warn` may be as it should be, and only the operator can tell; `fail` cannot work. */
  readonly level: 'ok' | 'warn' | 'fail';
  /** One line. */
  readonly text: string;
  /** How to mend it, one line. */
  readonly mend?: string;
}

export function ok(text: string): Finding {
  return { level: 'ok', text };
}

export function warn(text: string, mend: string): Finding {
  return { level: 'warn', text, mend };
}

export function fail(text: string, mend: string): Finding {
  return { level: 'fail', text, mend };
}
