import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { HknockError } from '../errors/hknock-error.ts';

const STDOUT = 1;

/** The standard streams of a process. */
export interface Stdio {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/**
 * Joins standard input and output to a connection until both directions have ended, as a ProxyCommand must: the end of our input is passed on and the
 * answer still awaited; the end of theirs closes our output. Each side waits for the other when it is slow.
 * @throws {HknockError} `connection` when it breaks off
 */
export async function joinStdio(socket: Duplex, { stdin, stdout }: Stdio): Promise<void> {
  stdin.pipe(socket);
  socket.pipe(stdout);
  // whoever fed us is gone without a word: to the other side that is the end
  stdin.once('error', () => socket.end());
  // whoever read our output is gone: nobody is left to work for; the stream itself would not tell, Node keeps it alive
  const reader = { isThere: true };
  stdout.on('error', () => {
    reader.isThere = false;
    socket.destroy();
  });
  try {
    await finished(socket, { writable: false });
    await closeOutput(stdout);
    // somebody at a terminal would have to type the end of input to get away from a server that has left
    if (!stdin.isTTY) await finished(socket, { readable: false }).catch(() => undefined);
  } catch (cause) {
    if (reader.isThere) throw brokenOff(cause);
  } finally {
    stdin.unpipe(socket);
    stdin.destroy();
    socket.destroy();
  }
}

/** Node keeps standard output open to the end; the reader is to see that nothing more comes. */
async function closeOutput(stdout: NodeJS.WriteStream): Promise<void> {
  await new Promise((resolve) => stdout.write('', resolve));
  if (stdout.isTTY) return;
  closeSync(STDOUT);
  // the number is not for a socket that is opened later: libuv aborts when one of the first three is closed
  openSync(devNull, 'w');
}

function brokenOff(cause: unknown): HknockError {
  const { message } = cause as Error;
  return new HknockError('connection', `the connection broke off: ${message}`, { cause });
}
