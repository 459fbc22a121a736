import { join } from 'node:path';
import { RESPONDER_ID_LENGTH } from '../bytes/key-lengths.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Entropy } from '../host/entropy.ts';
import { formatKey, parseKey } from './key-text.ts';
import { createPrivateFile, readPrivateFile } from './private-file.ts';

/**
 * Makes a responder's identity, to which every transcript is bound (P10), and gives the path of its file.
 * @throws {HknockError} as {@link createPrivateFile}
 */
export async function createResponderKey(directory: string, entropy: Entropy): Promise<string> {
  const path = join(directory, 'responder.key');
  await createPrivateFile(
    path,
    '# The identity of this responder. A knock made for one responder is worthless at any other.\n' +
      '# Copy this file only between servers that are to act as one.\n' +
      `${formatKey(entropy.bytes(RESPONDER_ID_LENGTH))}\n`,
  );
  return path;
}

/**
 * Reads the responder's identity, 16 bytes.
 * @throws {HknockError} `config` when its file is missing, wrong or open to others
 */
export async function readResponderKey(directory: string): Promise<Uint8Array> {
  const path = join(directory, 'responder.key');
  const text = await readPrivateFile(path, {
    content: 'secret',
    missing: `hknock init --dir ${directory}`,
  });
  const lines = text.split('\n').map((line, at) => ({ line: line.trim(), number: at + 1 }));
  const [first, second] = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  const key = parseKey(first?.line ?? '', RESPONDER_ID_LENGTH);
  if (key !== null && second === undefined) return key;
  const number = String((key === null ? first?.number : second?.number) ?? lines.length);
  throw new HknockError(
    'config',
    `${path}:${number}: expected one line of 22 base64url characters and comments, got something else`,
  );
}
