/** Faults of the caller, the configuration or the host. The command line maps each to one exit code. */
export const errorCodes = [
  /** a command or call was written wrongly */
  'usage',
  /** a file or text given as data cannot be read as what it should be */
  'bad-input',
  /** configuration is missing, wrong or too widely readable */
  'config',
  /** the host lacks a program or kernel feature, or refuses a privilege */
  'host',
  /** the address or port is in use or not ours */
  'bind',
  /** the firewall did not take a change */
  'firewall',
  /** there is no room for more of it at the moment */
  'limit',
  /** nobody answered */
  'no-answer',
  /** granted, but the connection failed */
  'connection',
  /** the responder sees us at an address that we did not expect, so we went no further */
  'unexpected-address',
  /** the other side broke the protocol */
  'protocol',
  /** the responder refused, and said why */
  'refused',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface HknockErrorOptions {
  /** What the reader can do about it: one sentence or command. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A fault with a closed code, one sentence, and a hint at the way out. Never carries a secret. */
export class HknockError extends Error {
  override readonly name = 'HknockError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: HknockErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hint = options.hint;
  }
}
