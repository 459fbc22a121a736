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
  const args = ['-export', '-name', name, '-passout', `env:${PKCS12_PASSWORD}`];
  const { code, output, said } = await openssl(args, { input: pem, password });
  if (code === 0) return output;
  throw new HknockError('host', `openssl pkcs12 failed: ${said.trim()}`);
}

/** Whether a file is one of PKCS#12, by its name. */
export function isPkcs12(path: string): boolean {
  return /\.(?:p12|pfx)$/i.test(path);
}

/**
 * The private key and its certificate out of such a file, as PEM with whatever openssl writes between.
 * @param path for people
 * @throws {HknockError} `bad-input` when it cannot be opened, `host` when there is no openssl
 */
export async function decodePkcs12(
  file: Uint8Array,
  { path, password }: { readonly path: string; readonly password: string },
): Promise<string> {
  const args = ['-nodes', '-clcerts', '-passin', `env:${PKCS12_PASSWORD}`];
  const { code, output } = await openssl(args, { input: file, password });
  if (code === 0) return output.toString('latin1');
  // what openssl says is about its own source
  throw new HknockError('bad-input', `${path} cannot be opened with this password`, {
    hint: `it is to be PKCS#12, with the password in ${PKCS12_PASSWORD}`,
  });
}

interface Finished {
  readonly code: number | null;
  readonly output: Buffer;
  readonly said: string;
}

/** Runs `openssl pkcs12`. @throws {HknockError} `host` when it cannot be run */
async function openssl(
  args: readonly string[],
  { input, password }: { readonly input: string | Uint8Array; readonly password: string },
): Promise<Finished> {
  const env = { ...process.env, [PKCS12_PASSWORD]: password };
  const child = spawn('openssl', ['pkcs12', ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  // one that ends early is told of by its exit code
  child.stdin.on('error', () => undefined).end(input);
  const both = Promise.all([buffer(child.stdout), text(child.stderr)]);
  const [code] = await ended.catch((cause: unknown) => {
    throw new HknockError(
      'host',
      'PKCS#12 files are made and read by openssl, which cannot be run',
      {
        hint: 'apt-get install openssl',
        cause,
      },
    );
  });
  const [output, said] = await both;
  return { code, output, said };
}
