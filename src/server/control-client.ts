import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { errorCodes, HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';

/** A server that does not answer by then is stuck. */
const TIMEOUT_MS = 30_000;

/** What to ask of a running server; see `serveControl`. */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
}

/**
 * Asks the server behind a control socket. Gives its answer, or null when it knows no such thing.
 * @param timeoutMs after this long without an answer the server counts as stuck
 * @throws {HknockError} `no-answer` when no server runs there, `host` when one may run and cannot be asked, `protocol`
 * when what answers is none; the server's own faults
 */
export async function askServer(
  socketPath: string,
  what: ControlRequest,
  timeoutMs: number = TIMEOUT_MS,
): Promise<unknown> {
  const { status, body } = await exchange(socketPath, what, timeoutMs);
  const answer = parse(body, socketPath);
  if (status === 404) return null;
  if (status === 200) return answer;
  throw faultIn(answer);
}

function parse(body: string, socketPath: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    const hint = 'see [control] path in hknock.toml';
    throw new HknockError('protocol', `what answers at ${socketPath} is no hknock server`, {
      hint,
      cause,
    });
  }
}

/** A server's fault, with the code that it has there; what has none is a bug there as here. */
function faultIn(answer: unknown): Error {
  const { code, message, hint } = Object(answer) as Readonly<Record<string, unknown>>;
  const known = errorCodes.find((each) => each === code);
  if (known === undefined) return new Error(`a bug of the running server: ${String(message)}`);
  return new HknockError(known, String(message), typeof hint === 'string' ? { hint } : {});
}

function exchange(
  socketPath: string,
  { method, path }: ControlRequest,
  timeoutMs: number,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(unanswered(socketPath, cause));
    };
    const asked = request({ socketPath, method, path, timeout: timeoutMs }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode, body });
      }, fail);
    });
    asked.once('timeout', () => asked.destroy(new Error('it did not answer in time')));
    asked.once('error', fail);
    asked.end();
  });
}

// only these two show that nobody is there; after any other a server may go on as if it had not been asked
function unanswered(socketPath: string, cause: Error): HknockError {
  if (['ENOENT', 'ECONNREFUSED'].includes(systemCode(cause) ?? '')) {
    const hint = "start it with 'hknock serve', or name its folder with --dir";
    return new HknockError('no-answer', `no server answers at ${socketPath}`, { hint, cause });
  }
  return new HknockError('host', `cannot ask the server at ${socketPath}: ${cause.message}`, {
    hint: 'a server that runs may not know of a change: see its log, and send it SIGHUP',
    cause,
  });
}
