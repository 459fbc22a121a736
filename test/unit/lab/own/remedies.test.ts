import test from 'ava';
import { remediesFor } from '../../../../src/lab/own/remedies.ts';
import type { OwnConfig } from '../../../../src/lab/own/own-folder.ts';
import { renderValue } from '../../../../src/lab/own/settings.ts';
import { groupWays, waysIn } from '../../../../src/lab/own/ways.ts';
import { own, peer } from './fixture.ts';
import { parseServiceName } from '../../../../src/units/names.ts';

const ssh = '[services.ssh]\nports = ["tcp/22"]\nadmission = "address"\n';
const kernel = ['address', 'once', 'port', 'bound', 'gate'] as const;

function remedies(of: OwnConfig, name: string, can: Parameters<typeof remediesFor>[2] = []) {
  const group = groupWays(waysIn(of, kernel)).find((each) => each.name === name);
  if (group === undefined) throw new Error(`no ${name}`);
  return remediesFor(group, of.config, can).map((settings) =>
    settings.map(({ path, value }) => `${path.join('.')} = ${renderValue(value ?? '')}`).join('; '),
  );
}

test('narrower admissions, what costs the clients least first; the gate with its address where there is none', (t) => {
  t.deepEqual(remedies(own(ssh), 'handshake-address'), [
    'services.ssh.admission = "once"',
    'services.ssh.admission = "port"',
    'services.ssh.admission = "bound"',
    'gate.listen = ["0.0.0.0:62203", "[::]:62203"]; services.ssh.admission = "gate"',
  ]);
  t.false(
    remedies(own(ssh), 'handshake-address', ['neighbour']).some((each) => each.includes('once')),
  );
  const gated = own(`[gate]\nlisten = ["0.0.0.0:62203"]\n${ssh}`);
  t.deepEqual(remedies(gated, 'handshake-port'), [
    'services.ssh.admission = "gate"',
    'services.ssh.admission = "bound"',
  ]);
  t.deepEqual(remedies(gated, 'handshake-gate'), []);
});

test('what they have from the policy is changed there, when no other service goes by it, and else at each', (t) => {
  const two = '[services.ssh]\nports = ["tcp/22"]\n[services.web]\nports = ["tcp/80"]\n';
  const both = [peer('alice', { services: ['ssh', 'web'].map(parseServiceName) })];
  t.is(remedies(own(two, both), 'handshake-once')[0], 'policy.admission = "port"');
  const mixed = own(`${two}admission = "once"\n`, both);
  t.is(
    remedies(mixed, 'handshake-once')[0],
    'services.ssh.admission = "port"; services.web.admission = "port"',
  );
  const one = [peer('alice')];
  t.is(remedies(own(two, one), 'handshake-once')[0], 'services.ssh.admission = "port"');
});

test('what opens a mode to an attacker is tried before what the clients would notice', (t) => {
  const keys = {
    key: new Uint8Array(32),
    hmacKey: new Uint8Array(64),
    hmacType: 'sha256',
  } as const;
  const spa = own(`[fwknop]\nenabled = true\naccept_any_source = true\n${ssh}`, [
    peer('alice', { fwknop: keys }),
  ]);
  t.is(remedies(spa, 'fwknop-address')[0], 'fwknop.accept_any_source = false');

  const certified = own(`[certificates]\nca = "ca.pem"\nkey = "server.key"\n${ssh}`, []);
  const list = 'certificates.crl = "ca/crl.pem"';
  t.is(remedies(certified, 'certificate-address', ['former-client'])[0], list);
  t.false(remedies(certified, 'certificate-address', ['neighbour']).includes(list));

  const none = own(`[firewall]\nbackend = "none"\n${ssh}`);
  t.deepEqual(remedies(none, 'handshake-address', ['neighbour']).slice(0, 2), [
    'firewall.backend = "nftables"',
    'firewall.backend = "nftables"; services.ssh.admission = "port"',
  ]);

  const bare = own(`[firewall]\nshield = false\n${ssh}`);
  t.is(remedies(bare, 'handshake-address', ['spoof'])[0], 'firewall.shield = true');
});
