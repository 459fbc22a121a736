import { spawn } from 'node:child_process';
import { HknockError } from '../errors/hknock-error.ts';
import type { IpAddress } from '../units/network.ts';

/** A request has left by then; who has no answer goes on nevertheless. */
const PATIENCE_MS = 300;

/**
 * Sends one ICMP echo request by `ping`, which may do so without privilege where this process may not. Resolves when it was
 * answered, or will not be.
 * @throws {HknockError} `host` when there is no ping
 */
export async function sendEcho(address: IpAddress): Promise<void> {
  const child = spawn('ping', ['-n', '-q', '-c', '1', '-W', '1', address], { stdio: 'ignore' });
  await new Promise<void>((resolve, reject) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    child
      .once('error', (cause) => {
        clearTimeout(limit);
        const hint = 'apt-get install iputils-ping';
        reject(new HknockError('host', 'there is no ping to send echo requests', { hint, cause }));
      })
      .once('close', () => {
        clearTimeout(limit);
        resolve();
      });
  });
}
