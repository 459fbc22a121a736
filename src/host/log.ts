/** What a log line may carry. Secrets are byte arrays, and byte arrays do not fit here. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** One line per event. Values may come from strangers: the implementation escapes them. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
