import { createHash } from 'node:crypto';
import test from 'ava';
import {
  isOlder,
  MAX_CRL_LENGTH,
  readRevocationList,
  type RevocationList,
} from '../../../src/pki/revocation-list.ts';
import { CertificateVerifier } from '../../../src/pki/verifier.ts';
import { OpensslCa } from './openssl-ca.ts';

const ca = new OpensslCa(null);
const other = new OpensslCa(null);
test.after.always(() => {
  ca.remove();
  other.remove();
});

const { anchor } = new CertificateVerifier({ ca: ca.der });

function read(der: Uint8Array): RevocationList {
  const list = readRevocationList(der, anchor);
  if (typeof list === 'string') throw new Error(list);
  return list;
}

test.serial('a list that OpenSSL made is read as OpenSSL reads it', (t) => {
  t.is(read(ca.crl()).serials.size, 0);
  ca.issue('first', { serial: '00ab' });
  ca.issue('second', { serial: 'f00000000000000000000000000000000001' });
  ca.revoke('first');
  ca.run('ca', '-config', 'ca.cnf', '-revoke', 'second.pem', '-crl_reason', 'keyCompromise');
  const list = read(ca.crl());
  t.deepEqual([...list.serials], ['ab', 'f00000000000000000000000000000000001']);
  const text = ca.run(
    'crl',
    '-in',
    'crl.pem',
    '-noout',
    '-crlnumber',
    '-lastupdate',
    '-nextupdate',
  );
  t.is(/crlNumber=0x(.+)/.exec(text)?.[1], list.number.toString(16).padStart(2, '0'));
  t.is(Date.parse(/lastUpdate=(.+)/.exec(text)?.[1] ?? ''), Number(list.thisUpdate));
  t.is(Date.parse(/nextUpdate=(.+)/.exec(text)?.[1] ?? ''), Number(list.nextUpdate));
});

test.serial('a list of another authority is refused, also when it has the same name', (t) => {
  t.is(readRevocationList(other.crl(), anchor), 'crl-untrusted');
  const renamed = new OpensslCa(t, { name: 'Other CA' });
  t.is(readRevocationList(renamed.crl(), anchor), 'crl-untrusted');
});

test.serial("a list that the authority's key signed under another name is refused", (t) => {
  const namesake = new OpensslCa(t, { name: 'Other CA', keyOf: ca });
  t.is(readRevocationList(namesake.crl(), anchor), 'crl-untrusted');
});

test.serial('a list without a number, or for a part of the certificates only, is refused', (t) => {
  const noNumber = ca.crlWith('authorityKeyIdentifier = keyid');
  t.is(readRevocationList(noNumber, anchor), 'crl-unsupported');
  const part = ca.crlWith('issuingDistributionPoint = critical, @idp\n[idp]\nonlyuser = TRUE');
  t.is(readRevocationList(part, anchor), 'crl-unsupported');
});

test.serial('every list cut short, longer by a byte or with one bit changed is refused', (t) => {
  const der = ca.crl();
  for (let length = 0; length < der.length; length++) {
    t.is(readRevocationList(der.subarray(0, length), anchor), 'crl-malformed');
  }
  t.is(readRevocationList(Buffer.concat([der, Buffer.from([0])]), anchor), 'crl-malformed');
  for (let bit = 0; bit < der.length * 8; bit++) {
    const changed = Uint8Array.from(der);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    t.is(typeof readRevocationList(changed, anchor), 'string', String(bit));
  }
});

test.serial('a list that is too long is refused before it is looked at', (t) => {
  t.is(readRevocationList(new Uint8Array(MAX_CRL_LENGTH + 1), anchor), 'crl-malformed');
});

test.serial(
  'a list is older by its number, and another one of the same number is no newer',
  (t) => {
    const [first, second] = [read(ca.crl()), read(ca.crl())];
    t.true(isOlder(first, second));
    t.false(isOlder(second, first));
    t.false(isOlder(first, null));
    t.false(isOlder(first, read(first.der)));
    const twin = { ...first, der: createHash('sha256').digest() };
    t.true(isOlder(twin, first));
  },
);
