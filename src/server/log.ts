import { type LogLevel, logLevels } from '../config/server-config.ts';
import type { Clock } from '../host/clock.ts';
import type { Log, LogFields } from '../host/log.ts';

export interface LogOptions {
  readonly clock: Clock;
  /** The least level that is written. */
  readonly level: LogLevel;
  /** Takes a line, which is made when it is asked for. */
  readonly write: (line: () => string) => void;
}

/**
 * A line an event: `2026-01-31T10:00:00.000Z info granted peer=alice service=ssh`. Values that are not plain words are
 * written as JSON strings, so nothing that a stranger may choose can end a line or reach a terminal as a control sequence.
 */
export function createLog({ clock, level, write }: LogOptions): Log {
  const at =
    (own: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(own) < logLevels.indexOf(level)) return;
      const unixMs = clock.unixMs();
      write(() => {
        const time = new Date(unixMs).toISOString();
        return `${time} ${own} ${event}${Object.entries(fields).map(formatField).join('')}\n`;
      });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function formatField([key, value]: [string, LogFields[string]]): string {
  if (value === undefined || value === null) return '';
  const text = String(value);
  return ` ${key}=${/^[\w.:/@[\]-]+$/.test(text) ? text : escape(text)}`;
}

// JSON leaves DEL, the C1 controls and the line separators as they are
function escape(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
