import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { HknockError } from '../errors/hknock-error.ts';
import { decodePkcs12, isPkcs12 } from '../store/pkcs12.ts';
import { readPrivateBytes, readPrivateFile } from '../store/private-file.ts';

/** Files of a client that comes with a certificate. */
export interface IdentityFiles {
  /** The client's certificate, PEM; or a file `.p12` or `.pfx` of PKCS#12 with its private key, of mode 0600. */
  readonly certificate: string;
  /** Its private key, PEM, of mode 0600; left out with PKCS#12. */
  readonly privateKey?: string;
  /** Of the private key, where it has one, or of the PKCS#12 file. */
  readonly passphrase?: string;
  /** The server's certificate, PEM. */
  readonly serverCertificate: string;
}

/** What they hold; all keys are on P-256. */
export interface Identity {
  /** DER. */
  readonly certificate: Uint8Array;
  /** The certificate's. */
  readonly privateKey: KeyObject;
  /** The server's, from its certificate. */
  readonly serverKey: KeyObject;
}

/**
 * Reads what a client proves itself with. Whatever a server would only answer with silence is looked for here.
 * @param maxLength longest certificate that can be sent, DER
 * @throws {HknockError} `bad-input` when a file is missing or wrong, `config` when others have access to the key
 */
export async function readIdentity(files: IdentityFiles, maxLength: number): Promise<Identity> {
  const { own, privateKey } = await readOwn(files);
  const server = await readCertificate(files.serverCertificate);
  if (own.raw.length > maxLength) {
    const length = String(own.raw.length);
    throw new HknockError(
      'bad-input',
      `${files.certificate} has ${length} bytes as DER, and ${String(maxLength)} is the most`,
      { hint: 'have one issued with fewer ports, or a shorter name' },
    );
  }
  if (!own.checkPrivateKey(privateKey)) {
    throw new HknockError(
      'bad-input',
      `${files.privateKey ?? 'the key in it'} is not the key of ${files.certificate}`,
    );
  }
  return { certificate: Uint8Array.from(own.raw), privateKey, serverKey: server.publicKey };
}

interface Own {
  readonly own: X509Certificate;
  readonly privateKey: KeyObject;
}

async function readOwn({ certificate, privateKey, passphrase }: IdentityFiles): Promise<Own> {
  if (privateKey !== undefined) {
    const own = await readCertificate(certificate);
    const text = await readPrivateFile(privateKey, { content: 'secret', code: 'bad-input' });
    return { own, privateKey: parseKey(text, privateKey, passphrase) };
  }
  if (!isPkcs12(certificate)) {
    throw new HknockError('usage', `${certificate} needs the file of its private key`, {
      hint: 'a file of PKCS#12, with both in it, has a name that ends in .p12 or .pfx',
    });
  }
  const file = await readPrivateBytes(certificate, { content: 'secret', code: 'bad-input' });
  const text = await decodePkcs12(file, { path: certificate, password: passphrase ?? '' });
  const own = parseCertificate(text, certificate);
  return { own, privateKey: parseKey(text, certificate, undefined) };
}

async function readCertificate(path: string): Promise<X509Certificate> {
  const text = await readPrivateFile(path, { content: 'trusted', code: 'bad-input' });
  return parseCertificate(text, path);
}

function parseCertificate(text: string, path: string): X509Certificate {
  const certificate = orNull(() => new X509Certificate(text));
  if (certificate === null) {
    throw new HknockError(
      'bad-input',
      `${path} holds no certificate${isPkcs12(path) ? '' : ' in PEM'}`,
    );
  }
  requireP256(certificate.publicKey, path);
  return certificate;
}

function parseKey(text: string, path: string, passphrase: string | undefined): KeyObject {
  const key = orNull(() => createPrivateKey({ key: text, ...(passphrase && { passphrase }) }));
  if (key === null) {
    const kind = passphrase === undefined ? 'without a password' : 'with that password';
    throw new HknockError('bad-input', `${path} holds no private key in PEM ${kind}`);
  }
  requireP256(key, path);
  return key;
}

function requireP256({ asymmetricKeyDetails }: KeyObject, path: string): void {
  if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return;
  throw new HknockError('bad-input', `the key in ${path} is not on the curve P-256`);
}

// the cause is left out: it may quote the file
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
