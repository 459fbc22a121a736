import { lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import type { Entropy } from '../host/entropy.ts';
import { createPrivateFile, writeFault } from '../store/private-file.ts';
import { createResponderKey } from '../store/responder-key.ts';
import type { Endpoint } from '../units/network.ts';
import { configPath, decodeConfig } from './load.ts';
import { parseEndpoint } from './endpoint.ts';
import { configTemplate } from './template.ts';

export interface InitOptions {
  /** UDP addresses; every IPv4 and IPv6 address at port 62202 when there are none. */
  readonly listen?: readonly Endpoint[];
  readonly entropy: Entropy;
}

const folders = ['peers', 'schemes'];

/**
 * Makes a server's folder: `hknock.toml`, `responder.key`, `peers` and `schemes`. When one of them is there already, or anything
 * fails, nothing is changed. A folder that is there and holds none of them is taken as it is.
 * @throws {HknockError} `usage` when it would overwrite something, `config` when the socket's path would be too long,
 * `host` when the system refuses
 */
export async function initServerFolder(directory: string, options: InitOptions): Promise<void> {
  const listen = options.listen ?? ['0.0.0.0:62202', '[::]:62202'].map(parseEndpoint);
  const text = configTemplate(listen);
  decodeConfig(text, directory);
  const undo: (() => Promise<void>)[] = [];
  try {
    await makeFolder(directory, undo);
    await refuseLeftovers(directory);
    for (const name of folders) {
      const folder = join(directory, name);
      await mkdir(folder, { mode: 0o700 });
      undo.push(() => rmdir(folder));
    }
    const key = await createResponderKey(directory, options.entropy);
    undo.push(() => rm(key));
    // last, since it is what makes the folder a server's
    await createPrivateFile(configPath(directory), text);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw writeFault(directory, error);
  }
}

async function makeFolder(directory: string, undo: (() => Promise<void>)[]): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  try {
    await mkdir(directory, { mode: 0o700 });
    undo.push(() => rmdir(directory));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

async function refuseLeftovers(directory: string): Promise<void> {
  for (const path of [
    configPath(directory),
    ...['responder.key', ...folders].map((name) => join(directory, name)),
  ]) {
    const found = await lstat(path).catch(() => null);
    if (found !== null) {
      throw new HknockError('usage', `${path} is already there, and nothing is overwritten`, {
        hint: 'name another folder with --dir, or move this one away',
      });
    }
  }
}
