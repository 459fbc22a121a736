import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { MAX_CERTIFICATE_LENGTH } from '../certificate/envelope.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { readPrivateFile } from '../store/private-file.ts';
import { DEFAULT_PORT } from '../store/profile.ts';
import type { Port, Prefix } from '../units/network.ts';

/** What a client has who knocks with a certificate. */
export interface CertificateAccess {
  /** Names and addresses of the one server, in the order to be tried; at least one. */
  readonly hosts: readonly string[];
  readonly port: Port;
  /** DER, at most 700 bytes. */
  readonly certificate: Uint8Array;
  /** The certificate's. */
  readonly privateKey: KeyObject;
  /** The server's, from its certificate. */
  readonly serverKey: KeyObject;
  /** The addresses that the client may have on its way to the server; empty when it may have any. */
  readonly expect: readonly Prefix[];
}

export interface CertificateFiles {
  readonly hosts: readonly string[];
  /** 62202 if not said. */
  readonly port?: Port;
  /** The client's certificate, PEM. */
  readonly certificate: string;
  /** Its private key, PEM, of mode 0600. */
  readonly privateKey: string;
  /** The server's certificate, PEM. */
  readonly serverCertificate: string;
}

/**
 * Reads what a client needs to knock with a certificate. Whatever a server would only answer with silence is looked for here.
 * @throws {HknockError} `bad-input` when a file is missing or wrong, `config` when others have access to the key
 */
export async function readCertificateAccess(files: CertificateFiles): Promise<CertificateAccess> {
  const own = await readCertificate(files.certificate);
  const server = await readCertificate(files.serverCertificate);
  const privateKey = await readKey(files.privateKey);
  if (own.raw.length > MAX_CERTIFICATE_LENGTH) {
    const length = String(own.raw.length);
    throw new HknockError(
      'bad-input',
      `${files.certificate} has ${length} bytes as DER, and ${String(MAX_CERTIFICATE_LENGTH)} is the most`,
      { hint: 'have one issued with fewer ports, or a shorter name' },
    );
  }
  if (!own.checkPrivateKey(privateKey)) {
    throw new HknockError(
      'bad-input',
      `${files.privateKey} is not the key of ${files.certificate}`,
    );
  }
  return {
    hosts: files.hosts,
    port: files.port ?? DEFAULT_PORT,
    certificate: Uint8Array.from(own.raw),
    privateKey,
    serverKey: server.publicKey,
    expect: [],
  };
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

async function readKey(path: string): Promise<KeyObject> {
  const text = await readPrivateFile(path, { content: 'secret', code: 'bad-input' });
  const key = orNull(() => createPrivateKey(text));
  if (key === null) {
    throw new HknockError('bad-input', `${path} holds no private key in PEM without a password`);
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
