import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { scratch } from '../store/scratch.ts';

/** A certificate for 127.0.0.1 that its own key has signed. */
export async function selfSigned(t: ExecutionContext): Promise<{ key: string; cert: string }> {
  const folder = await scratch(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...subject, ...files]);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}
