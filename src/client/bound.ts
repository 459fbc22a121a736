import type { Socket } from 'node:net';
import { initialSequence } from '../admission/initial-sequence.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import { connectSequenced } from '../system/sequenced-socket.ts';
import { formatEndpoint, type Port } from '../units/network.ts';
import type { KnockGranted } from './knock.ts';

/**
 * Opens the one connection that a grant for `bound` lets in.
 * @throws {HknockError} `host` when this machine cannot make it, `connection` when it cannot be had
 */
export async function connectBound(
  { server, claimed, observed, sessionSecret }: KnockGranted,
  { port, timeoutMs }: { readonly port: Port; readonly timeoutMs: number },
): Promise<Socket> {
  const remote = { address: server, port };
  const local = { address: claimed.address, port: 0 };
  try {
    return await connectSequenced({
      remote,
      local,
      timeoutMs,
      sequence: initialSequence(sessionSecret),
    });
  } catch (cause) {
    if (cause instanceof HknockError) throw cause;
    const where = formatEndpoint(remote);
    const message =
      systemCode(cause) === 'ETIMEDOUT'
        ? `granted, but ${where} did not take the connection`
        : `granted, but the connection to ${where} failed: ${String(cause)}`;
    throw new HknockError('connection', message, {
      hint: `perhaps a NAT on the way rewrites sequence numbers, which 'bound' does not survive: ask for another admission; or somebody else at ${observed.address} is trying numbers, or the service is down`,
      cause,
    });
  }
}
