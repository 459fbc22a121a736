import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `openssl speed` says that one core can do, in seconds of processor each. */
export interface P256Speed {
  readonly ecdh: number;
  readonly verify: number;
}

/** One agreement and one verification: no packet with a certificate costs less. */
export async function p256Speed(): Promise<P256Speed> {
  const { stdout } = await run('openssl', [
    'speed',
    '-mr',
    '-seconds',
    '1',
    'ecdhp256',
    'ecdsap256',
  ]);
  // +F4:index:bits:signatures a second:verifications a second, and +F5:index:bits:agreements a second:seconds each
  const [, verify] = /^\+F4:\d+:256:[\d.]+:([\d.]+)$/m.exec(stdout) ?? [];
  const [, ecdh] = /^\+F5:\d+:256:([\d.]+):/m.exec(stdout) ?? [];
  return { ecdh: 1 / Number(ecdh), verify: 1 / Number(verify) };
}
