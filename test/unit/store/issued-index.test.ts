import test from 'ava';
import { formatIndex, type Issued, parseIndex } from '../../../src/store/issued-index.ts';
import type { UnixMs } from '../../../src/units/time.ts';
import { faultOf } from './scratch.ts';

const at = (text: string): UnixMs => Date.parse(text) as UnixMs;

const issued: readonly Issued[] = [
  { name: 'alice', serial: '0fa0', notAfter: at('2027-01-02T03:04:05Z'), revokedAt: null },
  {
    name: 'gate.example.org',
    serial: '00',
    notAfter: at('2050-12-31T23:59:59Z'),
    revokedAt: at('2026-06-07T08:09:10Z'),
  },
];

test('an index is written as OpenSSL writes it, and read back', (t) => {
  t.is(
    formatIndex(issued),
    'V\t270102030405Z\t\t0FA0\tunknown\t/CN=alice\n' +
      'R\t20501231235959Z\t260607080910Z\t00\tunknown\t/CN=gate.example.org\n',
  );
  t.deepEqual(parseIndex(formatIndex(issued), 'index.txt'), issued);
  t.deepEqual(parseIndex('', 'index.txt'), []);
});

test('what openssl ca adds is read: reasons, files, whole subjects', (t) => {
  const text =
    'R\t270102030405Z\t260607080910Z,keyCompromise\tAB\t/ca/ab.pem\t/C=DE/O=x/CN=alice/emailAddress=a@b\n' +
    'E\t250102030405Z\t\tAC\tunknown\t/O=x\n';
  const [first, second] = parseIndex(text, 'index.txt');
  t.deepEqual(first, {
    name: 'alice',
    serial: 'ab',
    notAfter: at('2027-01-02T03:04:05Z'),
    revokedAt: at('2026-06-07T08:09:10Z'),
  });
  t.is(second?.name, '');
});

for (const line of [
  'V',
  'X\t270102030405Z\t\t0F\tunknown\t/CN=a',
  'V\t270102030405\t\t0F\tunknown\t/CN=a',
  'V\t271302030405Z\t\t0F\tunknown\t/CN=a',
  'V\t270102030405Z\t\t0\tunknown\t/CN=a',
  'V\t270102030405Z\t\t0F\tunknown\t/CN=a\tmore',
  'R\t270102030405Z\t\t0F\tunknown\t/CN=a',
  ' V\t270102030405Z\t\t0F\tunknown\t/CN=a',
]) {
  test(`a wrong line is told by its number: ${JSON.stringify(line)}`, async (t) => {
    const fault = await faultOf(() => parseIndex(`${formatIndex(issued)}${line}\n`, 'index.txt'));
    t.is(fault.code, 'config');
    t.true(fault.message.startsWith('index.txt:3: '));
  });
}
