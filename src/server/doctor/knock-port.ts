import type { ServerConfig } from '../../config/server-config.ts';
import { bindDatagramSocket } from '../../dgram-ext/bind.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import { createSystemClock } from '../../system/clock.ts';
import { type Finding, ok } from '../../units/finding.ts';
import { formatEndpoint } from '../../units/network.ts';
import { askServer } from '../control-client.ts';
import { faultFindings } from './fault-findings.ts';

/** Whether a server answers knocks, or could. */
export async function examineKnockPort({
  listen,
  controlSocket,
}: Pick<ServerConfig, 'listen' | 'controlSocket'>): Promise<readonly Finding[]> {
  const where = listen.map(formatEndpoint).join(' ');
  try {
    if (await isRunning(controlSocket)) return [ok(`a server is running for UDP ${where}`)];
    const socket = await bindDatagramSocket({ addresses: listen, clock: createSystemClock() });
    await socket.close();
    return [ok(`UDP ${where} can be had (no server is running)`)];
  } catch (fault) {
    return faultFindings(fault);
  }
}

/** Whether a server of this folder runs. */
export /** Whether a server answers at its control socket. */
async function isRunning(controlSocket: string): Promise<boolean> {
  try {
    await askServer(controlSocket, { method: 'GET', path: '/status' });
    return true;
  } catch (fault) {
    if (fault instanceof HknockError && fault.code === 'no-answer') return false;
    throw fault;
  }
}
