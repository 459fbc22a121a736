import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as sknock from '../../fixtures/oracle/sknock.ts';

/** One knock, and what is wrong with its datagram. */
export interface Knock {
  readonly claimed: string;
  readonly port: number;
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  readonly defect?: (typeof defects)[number];
}

export const defects = [
  'truncated',
  'oversized',
  'padding',
  'off the curve',
  'infinity',
  'signed something else',
] as const;

const POINT_LENGTH = 65;

/** Its datagram, by OpenSSL's cryptography and the specification alone. @param server its certificate, a PEM file */
export function datagramOf(
  { claimed, port, certificate, key, defect }: Knock,
  server: string,
): Buffer {
  const request = sknock.request({
    protocol: 1,
    port,
    address: claimed,
    timestamp: Math.floor(Date.now() / 1000),
    certificate: new X509Certificate(readFileSync(certificate)).raw,
  });
  const signed = defect === 'signed something else' ? request.subarray(1) : request;
  const signature = sign('sha256', signed, createPrivateKey(readFileSync(key)));
  const plaintext = Buffer.concat([request, sknock.trailer(signature)]);
  const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const secrets = sknock.secrets(ephemeral, new X509Certificate(readFileSync(server)).publicKey);
  const ciphertext =
    defect === 'padding'
      ? sknock.encrypt(secrets, paddedWithZeros(plaintext), false)
      : sknock.encrypt(secrets, plaintext);
  const point = spoilt(sknock.point(ephemeral), defect);
  const datagram = Buffer.concat([Buffer.of(0x61, 1, 0, 0), ciphertext, point]);
  if (defect === 'truncated') return datagram.subarray(0, -1);
  return defect === 'oversized' ? Buffer.concat([datagram, Buffer.alloc(800)]) : datagram;
}

function paddedWithZeros(plaintext: Buffer): Buffer {
  return Buffer.concat([plaintext, Buffer.alloc(32 - (plaintext.length % 16))]);
}

function spoilt(point: Buffer, defect: Knock['defect']): Buffer {
  if (defect === 'infinity') return Buffer.alloc(POINT_LENGTH);
  const last = point[POINT_LENGTH - 1] ?? 0;
  if (defect === 'off the curve') point[POINT_LENGTH - 1] = last ^ 1;
  return point;
}
