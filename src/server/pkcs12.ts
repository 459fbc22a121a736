import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { HknockError } from '../errors/hknock-error.ts';

/** The environment variable from which openssl takes the password; arguments can be read by everybody on the machine. */
export const PKCS12_PASSWORD = 'HKNOCK_PKCS12_PASSWORD';

/** @throws {HknockError} `usage` when it is empty */
export function requirePassword(password: string): void {
  if (password !== '') return;
  throw new HknockError('usage', 'a PKCS#12 file needs a password', {
    hint: `put it in the environment variable ${PKCS12_PASSWORD}`,
  });
}

/**
 * Puts a private key and certificates into one file with a password (RFC 7292).
 * @param pem the key, its certificate, and that of the authority
 * @throws {HknockError} `host` when there is no openssl or it fails
 */
export async function encodePkcs12(
  pem: string,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<Uint8Array> {
  const args = ['pkcs12', '-export', '-name', name, '-passout', `env:${PKCS12_PASSWORD}`];
  const env = { ...process.env, [PKCS12_PASSWORD]: password };
  const child = spawn('openssl', args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  // one that ends early is told of by its exit code
  child.stdin.on('error', () => undefined).end(pem);
  const output = Promise.all([buffer(child.stdout), text(child.stderr)]);
  const [code] = await ended.catch((cause: unknown) => {
    throw new HknockError('host', 'PKCS#12 files are made by openssl, which cannot be run', {
      hint: 'apt-get install openssl',
      cause,
    });
  });
  const [file, said] = await output;
  if (code === 0) return file;
  throw new HknockError('host', `openssl pkcs12 failed: ${said.trim()}`);
}
