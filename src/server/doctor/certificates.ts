import type { CertificatesConfig, ServerConfig } from '../../config/server-config.ts';
import { pemOrDer } from '../../pki/pem.ts';
import { MAX_CRL_LENGTH, readRevocationList } from '../../pki/revocation-list.ts';
import type { TrustAnchor } from '../../pki/trust-anchor.ts';
import { fail, type Finding, ok, warn } from '../../units/finding.ts';
import { readMaterial } from '../certificates.ts';
import { readCrlSource } from '../crl-source.ts';
import { faultFindings } from './fault-findings.ts';

const DAY_MS = 86_400_000;

/** How long before its end an authority should be thought of. */
const SOON_MS = 30 * DAY_MS;

/** As long as the server itself would wait. */
const TIME_LIMIT_MS = 10_000;

/** Whether clients with certificates could get in: the authority, our key, and the list of who is revoked, which is fetched. */
export async function examineCertificates({
  certificates,
}: ServerConfig): Promise<readonly Finding[]> {
  if (certificates === null) return [];
  try {
    const { anchor } = (await readMaterial(certificates)).verifier;
    return [examineAuthority(anchor), await examineCrl(certificates, anchor)];
  } catch (fault) {
    return faultFindings(fault);
  }
}

function examineAuthority({ commonName, notAfter }: TrustAnchor): Finding {
  const leftMs = notAfter - Date.now();
  const until = `the authority '${commonName}' is good until ${new Date(notAfter).toISOString()}`;
  const mend = 'make another with hknock ca init, and issue all certificates anew';
  if (leftMs <= 0) return fail(`${until}: it is over, and no certificate gets in`, mend);
  return leftMs < SOON_MS ? warn(until, mend) : ok(until);
}

/** @throws {HknockError} `host` when it cannot be had */
async function examineCrl(
  { crl, onStale }: CertificatesConfig,
  anchor: TrustAnchor,
): Promise<Finding> {
  if (crl === null) {
    return warn('there is no list of revoked certificates', 'set crl in [certificates]');
  }
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  const file = await readCrlSource(crl, { maxLength: 1.5 * MAX_CRL_LENGTH, signal });
  const der = pemOrDer(file, 'X509 CRL');
  const list = der === null ? 'crl-malformed' : readRevocationList(der, anchor);
  if (typeof list === 'string') {
    return fail(`the list of revoked certificates at ${crl} is not used: ${list}`, 'see pki.md');
  }
  const age = `${String(Math.floor((Date.now() - list.thisUpdate) / DAY_MS))} days old`;
  const next = `the next is due ${new Date(list.nextUpdate).toISOString()}`;
  const text = `the list of revoked certificates is ${age}, ${next}`;
  if (Date.now() < list.nextUpdate) return ok(text);
  const stale = onStale === 'closed' ? fail : warn;
  return stale(`${text}: it is out of date`, 'hknock ca crl, from a weekly cron job');
}
