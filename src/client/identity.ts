import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { HknockError } from '../errors/hknock-error.ts';
import { readPrivateFile } from '../store/private-file.ts';

/** Files of a client that comes with a certificate. */
export interface IdentityFiles {
  /** The client's certificate, PEM. */
  readonly certificate: string;
  /** Its private key, PEM, of mode 0600. */
  readonly privateKey: string;
  /** Of the private key, where it has one. */
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
  const own = await readCertificate(files.certificate);
  const server = await readCertificate(files.serverCertificate);
  const privateKey = await readKey(files.privateKey, files.passphrase);
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
      `${files.privateKey} is not the key of ${files.certificate}`,
    );
  }
  return { certificate: Uint8Array.from(own.raw), privateKey, serverKey: server.publicKey };
}

async function readCertificate(path: string): Promise<X509Certificate> {
  const text = await readPrivateFile(path, { content: 'trusted', code: 'bad-input' });
  const certificate = orNull(() => new X509Certificate(text));
  if (certificate === null) {
    throw new HknockError('bad-input', `${path} holds no certificate in PEM`);
  }
  requireP256(certificate.publicKey, path);
  return certificate;
}

async function readKey(path: string, passphrase: string | undefined): Promise<KeyObject> {
  const text = await readPrivateFile(path, { content: 'secret', code: 'bad-input' });
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
