import test from 'ava';
import { groupWays, partsOf, type Way, waysIn } from '../../../../src/lab/own/ways.ts';
import { parseServiceName } from '../../../../src/units/names.ts';
import type { DurationMs } from '../../../../src/units/time.ts';
import { own, peer } from './fixture.ts';

const kernel = ['address', 'once', 'port', 'bound'] as const;
const ssh = '[services.ssh]\nports = ["tcp/22"]\n';

function names(ways: readonly Way[]): readonly string[] {
  return groupWays(ways).map(({ name }) => name);
}

test('a handshake may have each admission that policy, peer and firewall allow', (t) => {
  t.deepEqual(names(waysIn(own(ssh), kernel)), [
    'handshake-once',
    'handshake-port',
    'handshake-bound',
  ]);
  const wide = own(`[policy]\nadmission = "address"\n${ssh}`);
  t.deepEqual(names(waysIn(wide, ['address', 'once'])), ['handshake-address', 'handshake-once']);
  const narrow = own(ssh, [peer('alice', { admission: 'bound' })]);
  t.deepEqual(names(waysIn(narrow, kernel)), ['handshake-bound']);
  t.deepEqual(waysIn(own(ssh, []), kernel), []);
});

test('other modes are ways in where they are on, for peers that have the keys', (t) => {
  const text = `public_hosts = ["192.0.2.1"]
    [sequence]
    schemes = ["totp", "door", "other"]
    [fwknop]
    enabled = true
    [silent]
    enabled = true
    ${ssh}`;
  const keys = {
    key: new Uint8Array(32),
    hmacKey: new Uint8Array(64),
    hmacType: 'sha256',
  } as const;
  const able = peer('alice', { totp: new Uint8Array(32), fwknop: keys });
  const schemes = {
    door: { kind: 'fixed', peer: 'alice', service: 'ssh' },
    other: { kind: 'fixed', peer: 'alice', service: 'web' },
  };
  const modes = (of: ReturnType<typeof peer>): readonly string[] =>
    names(waysIn(own(text, [of], schemes), kernel)).filter((each) => !each.startsWith('handshake'));
  t.deepEqual(modes(able), ['fwknop-once', 'silent-bound', 'totp-once', 'scheme-door-once']);
  t.deepEqual(modes(peer('bob')), ['silent-bound']);
  t.deepEqual(modes({ ...able, admission: 'bound' }), ['silent-bound']);
});

test('whoever has a certificate comes in without being a peer', (t) => {
  const text = `[certificates]
    ca = "ca.pem"
    key = "server.key"
    [sknock]
    listen = ["0.0.0.0:62203"]
    ${ssh}admission = "bound"\n`;
  t.deepEqual(names(waysIn(own(text, []), kernel)), ['certificate-bound']);
  const wider = own(text.replace('"bound"', '"once"'), []);
  t.true(names(waysIn(wider, kernel)).includes('sknock-once'));
});

test('services of UDP alone are none; with several ports the first for TCP is attacked', (t) => {
  const text =
    '[services.dns]\nports = ["udp/53"]\n[services.ssh]\nports = ["udp/22", "tcp/2222"]\n';
  const services = ['dns', 'ssh'].map(parseServiceName);
  const ways = waysIn(own(text, [peer('alice', { services })]), kernel);
  t.deepEqual(
    [...new Set(ways.map(({ service, port }) => `${service} ${String(port.port)}`))],
    ['ssh 2222'],
  );
});

test('ways that are alike are one, whoever has them; of their grants the longest is attacked', (t) => {
  const peers = Array.from({ length: 200 }, (_, at) =>
    peer(`peer-${String(at)}`, at === 7 ? { ttlMs: 60_000 as DurationMs } : {}),
  );
  const groups = groupWays(waysIn(own(ssh, peers), kernel));
  t.is(groups.length, 3);
  t.is(groups[0]?.ways.length, 200);
  t.is(groups[0]?.attacked.peer?.name, peers[7]?.name);
});

test('what can stop an attacker is looked for apart for services with one port and with more', (t) => {
  const text = `${ssh}[services.web]\nports = ["tcp/80", "tcp/443"]\n[services.imap]\nports = ["tcp/143"]\n`;
  const services = ['ssh', 'web', 'imap'].map(parseServiceName);
  const all = own(text, [peer('alice', { services })]);
  const [once] = groupWays(waysIn(all, kernel));
  const parts = once === undefined ? [] : partsOf(once, all.config);
  t.deepEqual(
    parts.map(({ ways }) => ways.map(({ service }) => String(service))),
    [['ssh', 'imap'], ['web']],
  );
});
