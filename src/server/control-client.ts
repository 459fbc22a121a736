import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { HknockError } from '../errors/hknock-error.ts';

/** A server that does not answer by then is stuck. */
const TIMEOUT_MS = 30_000;

/** What to ask of a running server; see `serveControl`. */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
}

/**
 * Asks the server behind a control socket. Gives its answer, or null when it knows no such thing.
 * @throws {HknockError} `no-answer` when no server runs there; the server's own faults
 */
export async function askServer(socketPath: string, what: ControlRequest): Promise<unknown> {
  const { status, body } = await exchange(socketPath, what);
  if (status === 404) return null;
  const answer: unknown = JSON.parse(body);
  if (status === 200) return answer;
  const { code, message, hint } = answer as { code: string; message: string; hint?: string };
  const known = code === 'config' || code === 'firewall' || code === 'host' ? code : 'protocol';
  throw new HknockError(known, message, hint === undefined ? {} : { hint });
}

function exchange(
  socketPath: string,
  { method, path }: ControlRequest,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      const hint = "start it with 'hknock serve', or name its folder with --dir";
      const message = `no server answers at ${socketPath}`;
      reject(new HknockError('no-answer', message, { hint, cause }));
    };
    const asked = request({ socketPath, method, path, timeout: TIMEOUT_MS }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode, body });
      }, fail);
    });
    asked.once('timeout', () => asked.destroy(new Error('timed out')));
    asked.once('error', fail);
    asked.end();
  });
}
