import {
  type FwknopKeys,
  MAX_FWKNOP_HMAC_KEY_LENGTH,
  MAX_FWKNOP_KEY_LENGTH,
  parseFwknopKey,
} from '../../store/fwknop-key-text.ts';
import { hmacTypes } from '../../units/hmac-type.ts';
import type { Place, Stanza, Tell } from './stanza.ts';

/** What stands in the file that fwknopd comes with, and is no key. */
const PLACEHOLDER = '__CHANGEME__';

/** The keys of a stanza; null, with the reason told, when there are none that can be used. Never tells a key. */
export function takeKeys(stanza: Stanza, tell: Tell): FwknopKeys | null {
  const leaveOut = (place: Place, why: string): null => {
    tell(place, `the stanza is left out: ${why}`);
    return null;
  };
  const takeKey = (name: string, max: number): Uint8Array | null => {
    const text = stanza.take(name);
    const entry = stanza.take(`${name}_BASE64`) ?? text;
    if (entry === null)
      return leaveOut(stanza.place, `it has no ${name}, without which no packet is taken`);
    const isText = entry.key === name;
    const value = isText ? entry.value : pad(entry.value.trim());
    const key = parseFwknopKey(`${isText ? 'passphrase' : 'base64'}:${value}`, max);
    if (key !== null && !value.startsWith(PLACEHOLDER)) return key;
    return leaveOut(entry, `this is no key of 1 to ${String(max)} bytes`);
  };
  const mode = stanza.take('ENCRYPTION_MODE');
  if (mode !== null && mode.value.trim().toUpperCase() !== 'CBC')
    return leaveOut(mode, 'only CBC is understood');
  const type = stanza.take('HMAC_DIGEST_TYPE');
  const wanted = type?.value.trim().toLowerCase().replace('_', '-') ?? 'sha256';
  const hmacType = hmacTypes.find((each) => each === wanted);
  if (hmacType === undefined) return leaveOut(type ?? stanza.place, 'there is no such HMAC');
  const key = takeKey('KEY', MAX_FWKNOP_KEY_LENGTH);
  const hmacKey = takeKey('HMAC_KEY', MAX_FWKNOP_HMAC_KEY_LENGTH);
  return key && hmacKey && { key, hmacKey, hmacType };
}

/** fwknop takes base64 with and without its `=`. */
function pad(base64: string): string {
  const bare = base64.replace(/=+$/, '');
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, '=');
}
