import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** How a certificate differs from a good one. */
export interface Wanted {
  readonly serial?: string;
  /** `openssl genpkey` options of the key. */
  readonly key?: readonly string[];
  /** Lines of an extension section. */
  readonly extensions?: readonly string[];
  readonly digest?: string;
  readonly subject?: string;
  /** First and last moment, as `20200101000000Z`; a year from now if not said. */
  readonly validity?: readonly [from: string, to: string];
}

interface AuthorityOptions {
  /** `openssl genpkey` options. */
  readonly key?: readonly string[];
  readonly extensions?: readonly string[];
  readonly name?: string;
  /** Has the key of this other authority. */
  readonly keyOf?: OpensslCa;
}

/** `openssl genpkey` options for a key on P-256. */
export const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** What a client's certificate has, as the lines of an extension section. */
export const goodExtensions = {
  constraints: 'basicConstraints = CA:FALSE',
  usage: 'keyUsage = critical, digitalSignature, keyAgreement',
  purpose: 'extendedKeyUsage = clientAuth',
  names: namesOf('otherName.1 = 1.3.6.1.4.1.19518;UTF8:1.2000,0.8000'),
};

/** A subjectAltName in a section of its own, where a value may have a comma in it. Comes last. */
export function namesOf(...lines: readonly string[]): string {
  return ['subjectAltName = @names', '[names]', ...lines].join('\n');
}

/** The lines of a good certificate with some of them changed; '' leaves one out. */
export function extensionsWith(
  changes: Partial<Record<keyof typeof goodExtensions, string>>,
): readonly string[] {
  return Object.values({ ...goodExtensions, ...changes });
}

/** A certification authority that the openssl command line runs, in a folder of its own. */
export class OpensslCa {
  readonly folder = mkdtempSync(join(tmpdir(), 'hknock-openssl-'));
  #serial = 0x1000;

  constructor(
    t: Pick<ExecutionContext, 'teardown'> | null,
    {
      key = p256,
      extensions = ['basicConstraints = critical, CA:TRUE'],
      name = 'Test CA',
      keyOf,
    }: AuthorityOptions = {},
  ) {
    t?.teardown(() => {
      this.remove();
    });
    if (keyOf !== undefined) copyFileSync(keyOf.path('ca.key'), this.path('ca.key'));
    this.#genpkey('ca.key', key);
    writeFileSync(this.path('ca.cnf'), configuration(this.folder, extensions));
    const subject = ['-subj', `/CN=${name}`];
    const options = ['-config', this.path('ca.cnf'), '-extensions', 'v3_ca', '-days', '3650'];
    this.run('req', '-x509', '-new', '-key', 'ca.key', ...subject, ...options, '-out', 'ca.pem');
    writeFileSync(this.path('index.txt'), '');
    writeFileSync(this.path('crlnumber'), '01\n');
    writeFileSync(this.path('serial'), '5000\n');
  }

  get der(): Uint8Array {
    return this.toDer('ca.pem');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs openssl in the folder. */
  run(...args: readonly string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Makes a key `NAME.key` and its certificate `NAME.pem`, and gives the certificate's DER. */
  issue(name: string, wanted: Wanted = {}): Uint8Array {
    const { key = p256, extensions = extensionsWith({}), digest = 'sha256' } = wanted;
    const serial = wanted.serial ?? (this.#serial++).toString(16);
    this.#genpkey(`${name}.key`, key);
    const subject = ['-subj', wanted.subject ?? `/O=Tests/CN=${name}`];
    this.run('req', '-new', '-key', `${name}.key`, ...subject, '-out', `${name}.csr`);
    writeFileSync(this.path(`${name}.ext`), extensions.join('\n'));
    if (wanted.validity !== undefined) this.#issueFor(name, wanted.validity);
    else this.#issueNow(name, serial, digest);
    return this.toDer(`${name}.pem`);
  }

  /** Puts a certificate on the list of revoked ones. */
  revoke(name: string): void {
    this.run('ca', '-config', 'ca.cnf', '-revoke', `${name}.pem`);
  }

  /** Makes the next list of revoked certificates and gives its DER. */
  crl(...options: readonly string[]): Uint8Array {
    this.run('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem', ...options);
    this.run('crl', '-in', 'crl.pem', '-outform', 'DER', '-out', 'crl.der');
    return readFileSync(this.path('crl.der'));
  }

  /** The next list, with these lines as its extensions and nothing else. */
  crlWith(extensions: string): Uint8Array {
    const configuration = readFileSync(this.path('ca.cnf'), 'utf8');
    const plain = configuration.replace(/^crlnumber.*$/m, 'crl_extensions = crl_ext');
    writeFileSync(this.path('crl.cnf'), `${plain}[crl_ext]\n${extensions}\n`);
    return this.crl('-config', 'crl.cnf');
  }

  toDer(pem: string): Uint8Array {
    this.run('x509', '-in', pem, '-outform', 'DER', '-out', `${pem}.der`);
    return readFileSync(this.path(`${pem}.der`));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #issueNow(name: string, serial: string, digest: string): void {
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', `0x${serial}`];
    const options = ['-days', '365', `-${digest}`, '-extfile', `${name}.ext`];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`];
    this.run('x509', '-req', ...authority, ...options, ...files);
  }

  // the one command that takes dates
  #issueFor(name: string, [from, to]: readonly [string, string]): void {
    const options = ['-config', 'ca.cnf', '-batch', '-notext', '-outdir', '.'];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    this.run('ca', ...options, '-startdate', from, '-enddate', to, ...files);
  }

  #genpkey(file: string, key: readonly string[]): void {
    if (!existsSync(this.path(file))) this.run('genpkey', ...key, '-out', file);
  }
}

function configuration(folder: string, extensions: readonly string[]): string {
  return `[req]
distinguished_name = dn
prompt = no
[dn]
[v3_ca]
${extensions.join('\n')}
[ca]
default_ca = here
[here]
dir = ${folder}
database = $dir/index.txt
crlnumber = $dir/crlnumber
serial = $dir/serial
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_crl_days = 30
policy = any
[any]
organizationName = optional
commonName = supplied
`;
}
