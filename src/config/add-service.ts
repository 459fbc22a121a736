import { HknockError } from '../errors/hknock-error.ts';
import { whileAlone } from '../store/folder-lock.ts';
import { replacePrivateFile } from '../store/private-file.ts';
import type { Admission } from '../units/admission.ts';
import type { ServiceName } from '../units/names.ts';
import { formatServicePort, type ServicePort } from '../units/network.ts';
import { type DurationMs, formatDuration } from '../units/time.ts';
import { configPath, decodeConfig, readConfigText } from './load.ts';
import { serviceTemplate } from './template.ts';

export interface NewService {
  readonly name: ServiceName;
  readonly ports: readonly ServicePort[];
  readonly admission?: Admission;
  readonly ttlMs?: DurationMs;
  readonly prefix?: true;
}

/**
 * Adds a service at the end of a server's configuration; all that stands there stays as it is.
 * @throws {HknockError} `usage` when there is one of that name, `config` when the configuration is wrong or would
 * become so, `host` when it cannot be written; the file is as it was then
 */
export async function addService(directory: string, service: NewService): Promise<void> {
  // asked first: in a folder that is not there no lock can be had, and this says what to do
  await readConfigText(directory);
  await whileAlone(directory, () => append(directory, service));
}

async function append(directory: string, service: NewService): Promise<void> {
  const text = await readConfigText(directory);
  if (decodeConfig(text, directory).services.has(service.name)) {
    throw new HknockError('usage', `there is a service '${service.name}' already`, {
      hint: `change it in ${configPath(directory)}`,
    });
  }
  const added = text.replace(/\n*$/, '\n') + serviceTemplate(service.name, toOptions(service));
  decodeConfig(added, directory);
  await replacePrivateFile(configPath(directory), added);
}

function toOptions({ ports, admission, ttlMs, prefix }: NewService): Record<string, string> {
  return {
    ports: `[${ports.map((port) => `"${formatServicePort(port)}"`).join(', ')}]`,
    ...(admission === undefined ? {} : { admission: `"${admission}"` }),
    ...(ttlMs === undefined ? {} : { ttl: `"${formatDuration(ttlMs)}"` }),
    ...(prefix && { prefix: 'true' }),
  };
}
