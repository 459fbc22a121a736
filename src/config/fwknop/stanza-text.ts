import { PeerStore } from '../../store/peer-store.ts';
import type { Profile } from '../../store/profile.ts';
import { formatServicePort } from '../../units/network.ts';
import { loadServerConfig } from '../load.ts';

/**
 * What stands in a .fwknoprc for the peer of a profile that the server has just made; null when it has no keys of fwknop. As secret
 * as the profile.
 * @throws {HknockError} as `loadServerConfig` and `PeerStore.get`
 */
export async function readStanza(
  directory: string,
  { name, hosts, peer, services }: Profile,
): Promise<{ readonly text: string; readonly isOn: boolean } | null> {
  const { fwknop } = await new PeerStore(directory).get(peer);
  if (fwknop === undefined) return null;
  const { listen, enabled } = (await loadServerConfig(directory)).fwknop;
  const lines: Readonly<Record<string, string>> = {
    SPA_SERVER: hosts[0] ?? name,
    SPA_SERVER_PORT: String(listen[0]?.port),
    ACCESS: [...services.values()].flat().map(formatServicePort).join(','),
    SPOOF_USER: peer,
    KEY_BASE64: Buffer.from(fwknop.key).toString('base64'),
    HMAC_KEY_BASE64: Buffer.from(fwknop.hmacKey).toString('base64'),
    HMAC_DIGEST_TYPE: fwknop.hmacType.toUpperCase().replace('-', '_'),
    USE_HMAC: 'Y',
  };
  const text = Object.entries(lines).map(([key, value]) => `${key} ${value}`);
  return { text: [`[${name}]`, ...text].join('\n'), isOn: enabled };
}
