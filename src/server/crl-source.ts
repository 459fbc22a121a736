import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isWebAddress } from '../config/load.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';

export interface CrlLimits {
  /** Bytes; reading stops there. */
  readonly maxLength: number;
  /** Gives up when it fires. */
  readonly signal: AbortSignal;
}

/**
 * Reads a list of revoked certificates from where it is published. Nothing about it is believed yet.
 * @param source an absolute path, or an http or https URL
 * @throws {HknockError} `host` when it cannot be had, is too long or takes too long
 */
export function readCrlSource(source: string, limits: CrlLimits): Promise<Uint8Array> {
  return isWebAddress(source) ? fetchCrl(source, limits) : readCrlFile(source, limits);
}

async function readCrlFile(path: string, { maxLength }: CrlLimits): Promise<Uint8Array> {
  try {
    // without O_NONBLOCK a named pipe would hold us until somebody writes to it
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw fault(path, 'it is not a plain file');
      if (stats.size > maxLength) throw tooLong(path, maxLength);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof HknockError) throw cause;
    throw fault(path, systemCode(cause) ?? 'unknown', cause);
  }
}

async function fetchCrl(url: string, { maxLength, signal }: CrlLimits): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw fault(url, `the answer is ${String(response.status)}`);
    }
    return await readBody(url, response.body, maxLength);
  } catch (cause) {
    if (cause instanceof HknockError) throw cause;
    if (signal.aborted) throw fault(url, 'it took too long', cause);
    const inner = cause instanceof Error ? cause.cause : undefined;
    throw fault(url, systemCode(inner) ?? 'the connection failed', cause);
  }
}

// counted as it comes: what a server says about the length binds nobody
async function readBody(
  url: string,
  body: AsyncIterable<Uint8Array>,
  maxLength: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > maxLength) throw tooLong(url, maxLength);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLong(source: string, maxLength: number): HknockError {
  return fault(source, `it is longer than ${String(maxLength)} bytes`);
}

function fault(source: string, what: string, cause?: unknown): HknockError {
  return new HknockError(
    'host',
    `the list of revoked certificates at ${source} cannot be had: ${what}`,
    {
      cause,
    },
  );
}
