import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { parseAddress } from '../../src/bytes/address.ts';
import { createAuthority, issueCertificate } from '../../src/pki/authority.ts';
import { type Endpoint, parseServicePort } from '../../src/units/network.ts';
import type { UnixMs } from '../../src/units/time.ts';

/** Lets anybody knock as often as he can, which no server should. */
export const unlimited = { perSecond: 1e9, burst: 1e9 };

/** When all of it happens: the frames are made before the clock is started. */
export const NOW = Date.UTC(2027, 0, 1) as UnixMs;

const DAY_MS = 86_400_000;
const validity = { notBefore: (NOW - DAY_MS) as UnixMs, notAfter: (NOW + DAY_MS) as UnixMs };

/** As many as make a packet as long as the paper's, about 850 bytes. */
const PORTS = ['tcp/22', ...Array.from({ length: 30 }, (_, at) => `tcp/${String(2000 + at)}`)];

/** Few enough that all their certificates are cached from the first round on. */
const CLIENTS = 16;

export interface Client {
  /** DER */
  readonly certificate: Uint8Array;
  readonly privateKey: KeyObject;
}

/** An authority, a server and clients, with the certificates that `hknock ca` would make. */
export interface CertificateWorld {
  /** DER */
  readonly ca: Uint8Array;
  readonly server: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly clients: readonly Client[];
}

export const client = endpoint('203.0.113.7', 40_001);

export async function certificateWorld(): Promise<CertificateWorld> {
  const key = keyPair().privateKey;
  const certificate = await createAuthority('bench', key, { ...validity, serial: '01' });
  const authority = { certificate, key };
  const clients = Array.from({ length: CLIENTS }, async (_, at): Promise<Client> => {
    const { privateKey, publicKey } = keyPair();
    const issued = await issueCertificate(authority, {
      ...validity,
      name: `client${String(at)}`,
      serial: (at + 16).toString(16),
      publicKey,
      authorised: PORTS.map(parseServicePort),
    });
    return { certificate: issued, privateKey };
  });
  return { ca: certificate, server: keyPair(), clients: await Promise.all(clients) };
}

function keyPair(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function endpoint(text: string, port: number): Endpoint {
  const address = parseAddress(text);
  if (address === null) throw new RangeError(text);
  return { address, port };
}
