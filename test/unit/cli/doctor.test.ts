import { appendFileSync, chmodSync, existsSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { Finding } from '../../../src/units/finding.ts';
import type { Machine } from '../../support/machine.ts';
import { freePort } from '../../support/free-port.ts';
import { Folder } from '../server/folder.ts';
import { furnished, keep, machineOf, serveTcp, tryIt } from './local.ts';

interface Examined {
  readonly code: number | null;
  /** The texts of a level, one a line. */
  readonly told: (level: Finding['level']) => string;
}

async function examine(
  t: ExecutionContext,
  machine: Machine,
  ...args: readonly string[]
): Promise<Examined> {
  const { code, stdout } = await tryIt(t, machine, ['doctor', '--json', ...args]);
  const findings = JSON.parse(stdout) as Finding[];
  const told = (level: Finding['level']): string =>
    findings
      .filter((each) => each.level === level)
      .map(({ text, mend = '' }) => `${text}; ${mend}`)
      .join('\n');
  return { code, told };
}

/** A folder whose backend needs nothing of this machine. */
async function plain(t: ExecutionContext) {
  const home = await furnished(t);
  await home.folder.edit(/backend = "nftables"/, 'backend = "none"');
  return home;
}

test.serial('one line each, for people; 0 when nothing fails', async (t) => {
  const { machine } = await plain(t);
  const { code, stdout } = await tryIt(t, machine, ['doctor']);
  t.is(code, 0);
  for (const line of stdout.trim().split('\n')) t.regex(line, /^(ok {4}|warn {2}|fail {2})\S/);
});

test.serial('a folder that was named and is not there fails', async (t) => {
  const { code, told } = await examine(t, machineOf(t), '--dir', '/nonexistent/hknock');
  t.is(code, 78);
  t.regex(told('fail'), /hknock init/);
});

// root's own folder is outside the test's home
const withoutFolder = existsSync('/etc/hknock') ? test.serial.skip : test.serial;

withoutFolder('where there is nothing, it says what to begin with', async (t) => {
  const machine = machineOf(t);
  const argv = ['env', '-u', 'HKNOCK_DIR', ...machine.argv('doctor', '--json')];
  const { stdout } = await machine.run(argv);
  t.regex(stdout, /hknock init[^]*hknock import/);
});

test.serial('every trouble is told at once, each with its way out', async (t) => {
  const { machine, folder } = await plain(t);
  await folder.edit(/ttl = "30s"/, 'ttl = "soon"');
  await folder.edit(/cut_on_revoke = true/, 'cut_on_revoke = 1');
  chmodSync(machine.path('server/responder.key'), 0o644);
  chmodSync(machine.path('server/peers/alice.toml'), 0o644);
  chmodSync(machine.path('config/hknock/config.json'), 0o644);
  const { code, told } = await examine(t, machine);
  t.is(code, 78);
  for (const each of [
    /hknock\.toml:\d+: policy\.ttl/,
    /hknock\.toml:\d+: policy\.cut_on_revoke/,
    /responder\.key.*chmod 600/,
    /alice\.toml.*chmod 600/,
    /config\.json.*chmod 600/,
  ]) {
    t.regex(told('fail'), each);
  }
});

test.serial('what is still to be done is a warning', async (t) => {
  const machine = machineOf(t);
  await machine.hknock(['init', '--listen', '127.0.0.1:62299']);
  const { told } = await examine(t, machine);
  for (const each of [/public_hosts/, /service add/, /peer add/]) t.regex(told('warn'), each);
});

test.serial('a running server has its port; a stranger on it fails', async (t) => {
  const { machine, profile } = await plain(t);
  t.regex((await examine(t, machine)).told('ok'), /can be had/);
  const daemon = await machine.serve();
  t.regex((await examine(t, machine)).told('ok'), /a server is running/);
  await daemon.end();
  const script = `require('node:dgram').createSocket('udp4').bind(${String(profile.port)}, '127.0.0.1', () => console.log('ready'))`;
  const other = machine.start([process.execPath, '-e', script]);
  await new Promise((resolve) => other.stdout?.once('data', resolve));
  const { code, told } = await examine(t, machine);
  t.is(code, 78);
  t.regex(told('fail'), new RegExp(`${String(profile.port)}.*ss -ulnp`));
});

test.serial('a gate needs its port, and TLS with a key', async (t) => {
  const { machine, folder } = await plain(t);
  const port = await freePort();
  t.notRegex((await examine(t, machine)).told('ok'), /TLS/, 'there is no gate');
  await folder.edit(/(\[gate\][^]*?)^listen = \[\]/m, `$1listen = ["127.0.0.1:${String(port)}"]`);
  const before = (await examine(t, machine)).told('ok');
  t.regex(before, /TLS 1\.3 with a pre-shared key works/);
  t.regex(before, new RegExp(`the gate can have TCP 127\\.0\\.0\\.1:${String(port)} `));
  const daemon = await machine.serve();
  t.regex((await examine(t, machine)).told('ok'), /the gate listens on TCP port/);
  const taken = await serveTcp(t, () => undefined);
  await folder.edit(
    new RegExp(`127\\.0\\.0\\.1:${String(port)}`),
    `127.0.0.1:${String(taken - 1)}`,
  );
  t.regex((await examine(t, machine)).told('fail'), /no gate listens on TCP port .*restart/);
  await daemon.end();
  await folder.edit(new RegExp(`:${String(taken - 1)}"`), `:${String(taken)}"`);
  t.regex((await examine(t, machine)).told('fail'), /the gate cannot have tcp .*EADDRINUSE/);
});

test.serial('it looks whether anybody serves the services, and to whom', async (t) => {
  const machine = machineOf(t);
  const folder = await Folder.create(t, machine.path('server'));
  await folder.edit(/backend = "nftables"/, 'backend = "none"');
  const port = await serveTcp(t, () => undefined);
  await folder.addService('local', `tcp/${String(port)}`);
  await folder.addService('gone', 'tcp/1', 'udp/1');
  const { told } = await examine(t, machine);
  t.regex(told('warn'), new RegExp(`tcp/${String(port)} .*this machine only`));
  t.regex(told('warn'), /nobody listens on tcp\/1 [^]*nobody listens on udp\/1 /);
  await folder.edit(/backend = "none"/, 'backend = "userspace"');
  await folder.edit(
    /^ports = \["tcp\/22"\]/m,
    `ports = ["tcp/22"]\nupstream = ["127.0.0.1:${String(port)}"]`,
  );
  await folder.edit(
    /^ports = \["tcp\/80", "tcp\/443"\]/m,
    'ports = ["tcp/80"]\nupstream = ["127.0.0.1:1"]',
  );
  await folder.edit(
    /(\[services\.local\]\nports = )\[.*\]/,
    '$1["tcp/81"]\nupstream = ["192.0.2.1:1"]',
  );
  await folder.edit(/\[services\.gone\]\nports = \[.*\]/, '');
  const forwarded = await examine(t, machine);
  t.is(forwarded.told('fail'), '');
  t.regex(forwarded.told('ok'), new RegExp(`somebody listens on tcp/${String(port)} .*'ssh'`));
  t.regex(forwarded.told('warn'), /nobody listens on tcp\/1 .*'web'/);
  t.false(forwarded.told('warn').includes("'local'"), 'what another machine serves is not seen');
});

test.serial('commands that cannot be run fail', async (t) => {
  const { machine, folder } = await furnished(t);
  await folder.edit(/backend = "nftables"/, 'backend = "command"');
  await folder.edit(/^open = \[\]/m, 'open = ["true"]');
  await folder.edit(/^close = \[\]/m, 'close = ["/nonexistent/close"]');
  const { told } = await examine(t, machine);
  t.regex(told('ok'), /command true /);
  t.regex(told('fail'), /command \/nonexistent\/close /);
});

test.serial(
  'a profile whose host is not to be found fails; one with another host only warns',
  async (t) => {
    const { machine, profile } = await plain(t);
    await keep(machine, { ...profile, hosts: ['no-such-host.invalid'] }, 'lost');
    await keep(machine, { ...profile, hosts: ['no-such-host.invalid', '127.0.0.1'] }, 'half');
    const { code, told } = await examine(t, machine);
    t.is(code, 78);
    t.regex(told('fail'), /'lost'/);
    t.regex(told('warn'), /'half'/);
    t.regex(told('ok'), /'half'[^]*'gate'|'gate'[^]*'half'/);
  },
);

test.serial('what clients of fwknop need, and what they bring with them', async (t) => {
  const { machine, folder } = await plain(t);
  const file = machine.path('server/peers/alice.toml');
  const keys = 'fwknop_key = "passphrase:short"\nfwknop_hmac_key = "passphrase:hmac"\n';
  t.notRegex((await examine(t, machine)).told('warn'), /fwknop/);
  appendFileSync(file, keys);
  t.regex((await examine(t, machine)).told('warn'), /fwknop is off, and peers .*: alice; enabled/);
  await folder.edit(
    /enabled = false\n(.*)\nlisten = .*/,
    `enabled = true\n$1\nlisten = ["127.0.0.1:${String(await freePort())}"]`,
  );
  await folder.edit(/accept_any_source = false/, 'accept_any_source = true');
  await folder.addPeer('bob');
  appendFileSync(machine.path('server/peers/bob.toml'), keys);
  const { code, told } = await examine(t, machine);
  t.is(code, 78);
  t.regex(told('fail'), /'alice' and 'bob' have the same fwknop_hmac_key/);
  t.regex(told('warn'), /guessed from one packet: alice, bob; .*hknock peer rotate/);
  t.regex(told('warn'), /any source/);
});

test.serial('where sequences come from a log, whether it can be read', async (t) => {
  const { machine, folder } = await plain(t);
  const file = machine.path('kern.log');
  await folder.edit(/schemes = \[\]/, 'schemes = ["totp"]');
  await folder.edit(/source = "nflog"/, 'source = "log"');
  await folder.edit(/log_file = ".*"/, `log_file = "${file}"`);
  t.regex((await examine(t, machine)).told('fail'), /kern\.log cannot be read \(ENOENT\)/);
  writeFileSync(file, '');
  t.regex((await examine(t, machine)).told('ok'), /kern\.log can be read/);
});

test.serial('a scheme of sequence mode whose file is wrong fails', async (t) => {
  const { machine, folder } = await plain(t);
  await folder.edit(/schemes = \[\]/, 'schemes = ["door"]');
  t.regex((await examine(t, machine)).told('fail'), /schemes\/door\.toml/);
});

test.serial('the authority and the list of revoked certificates are looked at', async (t) => {
  const { machine, folder } = await plain(t);
  await machine.hknock(['ca', 'init', '--crl-days', '1']);
  await machine.hknock(['ca', 'issue', 'gate', '--server']);
  const table = ['[certificates]', 'ca = "ca/ca.pem"', 'key = "server.key"', 'crl = "ca/crl.pem"'];
  await folder.edit(/$/, `\n${table.join('\n')}\n`);
  const good = await examine(t, machine);
  t.regex(good.told('ok'), /the authority 'hknock-ca' is good until 20/);
  t.regex(good.told('ok'), /revoked certificates is 0 days old, the next is due 20/);
  const url = `http://127.0.0.1:${String(await freePort())}/crl.pem`;
  await folder.edit(/^crl = .*$/m, `crl = "${url}"`);
  const unreachable = await examine(t, machine);
  t.regex(unreachable.told('fail'), /crl\.pem cannot be had: ECONNREFUSED/);
  await folder.edit(/^crl = .*$/m, 'crl = "ca/ca.pem"');
  t.regex((await examine(t, machine)).told('fail'), /is not used: crl-malformed/);
});
