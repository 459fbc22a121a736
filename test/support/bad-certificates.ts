import type { ExecutionContext } from 'ava';
import { extensionsWith, namesOf, OpensslCa } from '../unit/pki/openssl-ca.ts';

/** Certificates that are good for nothing, and why. */
export const badCertificates = {
  expired: 'certificate-expired',
  early: 'certificate-not-yet-valid',
  rsa: 'certificate-wrong-key',
  nameless: 'certificate-no-authorisation',
  garbled: 'certificate-bad-authorisation',
  old: 'certificate-old-authorisation',
  revoked: 'certificate-revoked',
  stranger: 'certificate-untrusted',
} as const;

interface Issued {
  readonly ca: OpensslCa;
  /** The file of a certificate; its key is beside it. */
  readonly pem: (name: string) => string;
}

/** All of them, beside `server` and one that is good, made by OpenSSL's command line for a TCP port. */
export function issueAll(t: ExecutionContext, port: number): Issued {
  const ca = new OpensslCa(t);
  const authorisation = '1.3.6.1.4.1.19518';
  const names = (value: string) => namesOf(`otherName.1 = ${authorisation};${value}`);
  const extensions = extensionsWith({ names: names(`UTF8:1.${String(port)}`) });
  const withNames = (value: string) => ({ extensions: extensionsWith({ names: value }) });
  ca.issue('server');
  ca.issue('good', { extensions });
  ca.issue('expired', { extensions, validity: ['20200101000000Z', '20210101000000Z'] });
  ca.issue('early', { extensions, validity: ['20400101000000Z', '20410101000000Z'] });
  ca.issue('rsa', { extensions, key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] });
  ca.issue('nameless', { extensions: extensionsWith({ names: '' }) });
  ca.issue('garbled', withNames(names('UTF8:1.99999')));
  ca.issue('old', withNames(names(`FORMAT:ASCII,OCT:TCP${String(port)}`)));
  ca.issue('revoked', { extensions });
  ca.revoke('revoked');
  ca.crl();
  const stranger = new OpensslCa(t);
  stranger.issue('stranger', { extensions });
  const pem = (name: string): string => (name === 'stranger' ? stranger : ca).path(`${name}.pem`);
  return { ca, pem };
}
