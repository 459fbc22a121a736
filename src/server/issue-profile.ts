import { createPublicKey, X509Certificate } from 'node:crypto';
import { profileOf } from '../client/certificate-profile.ts';
import { loadServerConfig } from '../config/load.ts';
import { reachOf, servicesOf } from '../config/server-folder.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { writeProfileFile } from '../store/profile-file.ts';
import type { ServiceName } from '../units/names.ts';
import { type AuthorityHost, issue, newKey } from './authority.ts';
import { readServerKey } from './certificates.ts';
import { type Order, refuseExisting } from './issue-files.ts';

export interface ProfileOrder extends Order {
  /** What it is for: what `authorised` has ports of. */
  readonly services: readonly ServiceName[];
  /** How the client reaches the server; null takes what the configuration says. */
  readonly reachedAs: string | null;
}

/**
 * Makes a key, a certificate for it, and a profile with both and with the server's public key: all that a client needs. Gives the path.
 * @throws {HknockError} as {@link issue}; `usage` when the file is there or nobody says how clients reach the server, `config` when
 * the server takes no certificates or its key cannot be read
 */
export async function issueAsProfile(
  host: AuthorityHost,
  { path, services: names, reachedAs, ...order }: ProfileOrder,
): Promise<string> {
  const config = await loadServerConfig(host.directory);
  const reach = {
    ...reachOf(config, reachedAs),
    services: servicesOf(config, { services: names }),
  };
  if (config.certificates === null) {
    throw new HknockError('config', 'this server takes no certificates', {
      hint: 'turn on [certificates] in hknock.toml',
    });
  }
  const serverKey = createPublicKey(await readServerKey(config.certificates.key));
  await refuseExisting(path);
  const privateKey = newKey();
  const pem = await issue(host, { ...order, publicKey: createPublicKey(privateKey) });
  const certificate = Uint8Array.from(new X509Certificate(pem).raw);
  await writeProfileFile(path, profileOf({ certificate, privateKey, serverKey }, reach));
  return path;
}
