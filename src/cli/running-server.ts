import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadServerConfig } from '../config/load.ts';
import { controlSocketName } from '../config/server-config.ts';
import { directoryOf } from './options.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { askServer, type ControlRequest } from '../server/control-client.ts';
import { tell } from './terminal.ts';

/** Asks the server that runs from a folder. @throws {HknockError} `no-answer` when none does */
export async function askRunning(
  directory: string | undefined,
  what: ControlRequest,
): Promise<unknown> {
  return askServer(await controlSocketOf(directoryOf({ dir: directory })), what);
}

// a server that runs goes by the configuration of when it was right: a revocation must reach it though the file is wrong now
async function controlSocketOf(directory: string): Promise<string> {
  try {
    return (await loadServerConfig(directory)).controlSocket;
  } catch (fault) {
    const usual = join(directory, controlSocketName);
    if (existsSync(usual)) return usual;
    throw fault;
  }
}

/** Has a running server read its folder again, so that a change counts at once; without one it counts from the next start, and the user is told so. */
export async function reloadIfRunning(directory: string): Promise<void> {
  try {
    await askRunning(directory, { method: 'POST', path: '/reload' });
    tell('the running server knows');
  } catch (fault) {
    if (!(fault instanceof HknockError) || fault.code !== 'no-answer') throw fault;
    tell(`${fault.message}; it counts from the next start`);
  }
}
