import { HknockError } from '../../errors/hknock-error.ts';
import type { Entropy } from '../../host/entropy.ts';
import { PeerStore } from '../../store/peer-store.ts';
import type { ServiceName } from '../../units/names.ts';
import type { UnixMs } from '../../units/time.ts';
import { addService } from '../add-service.ts';
import { loadServerConfig } from '../load.ts';
import { type CarriedAccess, carryOverAccess } from './access-conf.ts';
import { readAccessFile } from './access-file.ts';
import { nothingCarried } from './nothing-carried.ts';

export interface ImportAccessOptions {
  /** What stanzas may open that do not say what. */
  readonly services: readonly ServiceName[];
  readonly entropy: Entropy;
  readonly unixMs: UnixMs;
}

/**
 * Makes the peers, and the services that they want, that an access.conf of fwknopd comes to. fwknop itself is not turned on by that.
 * @throws {HknockError} `bad-input` when nothing of the file can be carried over, `usage` when there is no such service, `config` when
 * the server's folder is wrong; nothing has been written then
 */
export async function importAccessFile(
  file: string,
  directory: string,
  { services: unnamed, entropy, unixMs }: ImportAccessOptions,
): Promise<CarriedAccess & { readonly isOn: boolean }> {
  const config = await loadServerConfig(directory);
  const store = new PeerStore(directory);
  const peers = await store.list();
  const services = new Map(
    [...config.services.values()].map(({ name, ports }) => [name, ports] as const),
  );
  const strange = unnamed.find((name) => !services.has(name));
  if (strange !== undefined) throw new HknockError('usage', `there is no service '${strange}'`);
  const entries = await readAccessFile(file);
  const carried = carryOverAccess(entries, { services, peers, unnamed, unixMs });
  if (carried.peers.length === 0) throw nothingCarried(file, carried.notes);
  for (const [name, port] of carried.services) await addService(directory, { name, ports: [port] });
  for (const peer of carried.peers) {
    await store.add({ ...peer, admission: null, cutOnRevoke: null }, entropy);
  }
  return { ...carried, isOn: config.fwknop.enabled };
}
