import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parseEndpoint } from '../../../src/config/endpoint.ts';
import { initServerFolder } from '../../../src/config/init.ts';
import { addService } from '../../../src/config/add-service.ts';
import { enrolPeer } from '../../../src/config/server-folder.ts';
import type { Profile } from '../../../src/store/profile.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import type { Admission } from '../../../src/units/admission.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import type { DurationMs } from '../../../src/units/time.ts';
import { freePort } from '../../support/free-port.ts';
import { scratch } from '../store/scratch.ts';

const entropy = createSystemEntropy();

/** A server's folder of a test's own, for a free port of 127.0.0.1. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** With the services `ssh` on tcp/22 and `web` on tcp/80 and tcp/443; in a place of its own if none is said. */
  static async create(t: ExecutionContext, path?: string): Promise<Folder> {
    const folder = new Folder(path ?? join(await scratch(t), 'server'));
    const listen = [parseEndpoint(`127.0.0.1:${String(await freePort())}`)];
    await initServerFolder(folder.path, { listen, entropy });
    await folder.addService('ssh', 'tcp/22');
    await folder.addService('web', 'tcp/80', 'tcp/443');
    return folder;
  }

  async addService(name: string, ...ports: readonly string[]): Promise<void> {
    await addService(this.path, {
      name: parseServiceName(name),
      ports: ports.map(parseServicePort),
    });
  }

  /** Makes a peer and gives its profile. */
  addPeer(name: string, options: PeerOptions = {}): Promise<Profile> {
    const {
      services = ['ssh'],
      admission = null,
      ttlMs = null,
      cutOnRevoke = null,
      withTotp = false,
    } = options;
    return enrolPeer(
      this.path,
      {
        name: parsePeerName(name),
        services: services.map(parseServiceName),
        admission,
        ttlMs,
        cutOnRevoke,
        withTotp,
      },
      { host: '127.0.0.1', entropy },
    );
  }

  /** Changes the configuration; what is to be replaced must be there. */
  async edit(old: RegExp, text: string): Promise<void> {
    const path = join(this.path, 'hknock.toml');
    const before = await readFile(path, 'utf8');
    if (!old.test(before)) throw new Error(`no ${String(old)} in ${path}`);
    await writeFile(path, before.replace(old, text));
  }
}

interface PeerOptions {
  readonly services?: readonly string[];
  readonly admission?: Admission;
  readonly ttlMs?: DurationMs;
  readonly cutOnRevoke?: boolean;
  readonly withTotp?: boolean;
}
