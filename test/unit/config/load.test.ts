import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { HknockError } from '../../../src/errors/hknock-error.ts';
import { decodeConfig, loadServerConfig } from '../../../src/config/load.ts';
import { configTemplate } from '../../../src/config/template.ts';
import { parseEndpoint } from '../../../src/config/endpoint.ts';
import { faultOf, scratch } from '../store/scratch.ts';

const listen = ['0.0.0.0:62202', '[::]:62202'].map(parseEndpoint);
const template = configTemplate(listen);

// every line that is a comment and holds an option, without its mark
const everything = template.replaceAll(
  /^# ((?:# )?)(\[(?:services.*|certificates|sknock)\]|\w+ = .*)$/gm,
  '$2',
);

test('what the configuration of a new server says is what holds when it says nothing', (t) => {
  t.deepEqual(decodeConfig(template, '/srv'), decodeConfig('', '/srv'));
});

test('every option is in the configuration of a new server, and is read', (t) => {
  const config = decodeConfig(everything, '/srv');
  t.deepEqual(config.services.get('ssh' as never), {
    name: 'ssh',
    ports: [{ protocol: 'tcp', port: 22 }],
    upstream: [{ address: '127.0.0.1', port: 2222 }],
    admission: 'once',
    ttlMs: 30_000,
    flowKeepMs: 3_600_000,
    proxyProtocol: true,
  } as never);
  const keys = [...everything.matchAll(/^(\w+) = /gm)].map(([, key]) => key);
  // a key that is not read makes the file wrong; one that is not written would be missing here
  t.is(keys.length, 70);
});

test('a configuration says what it says', (t) => {
  const config = decodeConfig(
    `listen = ["192.0.2.1:1", "[2001:DB8::1]:2"]
     public_hosts = ["VPN.example.org"]
     control.path = "/run/hknock.sock"
     log.level = "debug"
     server.workers = 4
     [firewall]
     backend = "command"
     on_stop = "shut"
     shield = false
     userspace.listen = ["192.0.2.1"]
     command = { open = ["/bin/open", "", ""], close = ["/bin/close"], time_limit = "250ms" }
     [policy]
     admission = "address"
     ttl = "2m"
     flow_keep = "0s"
     cut_on_revoke = false
     [admission]
     port_range = "1024-11023"
     port_guesses = 9
     [limits]
     peer_knocks_per_second = 1
     peer_knocks_burst = 2
     source_knocks_per_second = 3
     source_knocks_burst = 4
     grants_per_peer = 5
     grants_per_source = 6
     grants = 7
     replay_records = 2048
     [fwknop]
     enabled = true
     listen = ["192.0.2.1:3"]
     max_age = "1m"
     accept_any_source = true
     [silent]
     addresses = ["192.0.2.7", "2001:DB8::7"]
     slots = 2
     tcp_stealth = true
     guesses_per_day = 10
     source_guesses_per_day = 4
     allow_guessing_odds = true
     [sknock]
     listen = ["192.0.2.1:4"]
     range = true
     window = "1m"
     check_address = false
     min_frame = 800
     [certificates]
     ca = "ca.pem"
     key = "/etc/keys/server.key"
     crl = "https://ca.example.org/crl.der"
     crl_refresh = "10m"
     on_stale = "warn"
     threads = 3
     [gate]
     listen = ["192.0.2.1:3", "[2001:db8::1]:3"]
     any_address = true
     [services.web]
     proxy_protocol = true
     ports = ["tcp/80", "udp/443"]
     upstream = ["127.0.0.1:8080", "127.0.0.1:8080"]
     [services.constructor]
     ports = ["udp/80"]`,
    '/srv',
  );
  t.deepEqual(JSON.parse(JSON.stringify({ ...config, services: [...config.services.values()] })), {
    directory: '/srv',
    listen: [
      { address: '192.0.2.1', port: 1 },
      { address: '2001:db8::1', port: 2 },
    ],
    publicHosts: ['vpn.example.org'],
    server: { workers: 4 },
    firewall: {
      backend: 'command',
      onStop: 'shut',
      shield: false,
      userspace: { listen: ['192.0.2.1'] },
      command: { open: ['/bin/open', '', ''], close: ['/bin/close'], timeLimitMs: 250 },
    },
    policy: { admission: 'address', ttlMs: 120_000, flowKeepMs: 0, cutOnRevoke: false },
    services: [
      {
        name: 'web',
        ports: [
          { protocol: 'tcp', port: 80 },
          { protocol: 'udp', port: 443 },
        ],
        upstream: [
          { address: '127.0.0.1', port: 8080 },
          { address: '127.0.0.1', port: 8080 },
        ],
        admission: null,
        ttlMs: null,
        flowKeepMs: null,
        proxyProtocol: true,
      },
      {
        name: 'constructor',
        ports: [{ protocol: 'udp', port: 80 }],
        upstream: null,
        admission: null,
        ttlMs: null,
        flowKeepMs: null,
        proxyProtocol: false,
      },
    ],
    admission: { ports: { first: 1024, last: 11_023 }, portGuesses: 9 },
    limits: {
      peerKnocks: { perSecond: 1, burst: 2 },
      sourceKnocks: { perSecond: 3, burst: 4 },
      grantsPerPeer: 5,
      grantsPerSource: 6,
      grants: 7,
      replayRecords: 2048,
    },
    gate: {
      listen: [
        { address: '192.0.2.1', port: 3 },
        { address: '2001:db8::1', port: 3 },
      ],
      anyAddress: true,
    },
    sequence: decodeConfig('', '/srv').sequence,
    silent: {
      enabled: false,
      addresses: ['192.0.2.7', '2001:db8::7'],
      slots: 2,
      guessesPerDay: 10,
      sourceGuessesPerDay: 4,
      hasTcpStealth: true,
      allowsGuessingOdds: true,
    },
    fwknop: {
      enabled: true,
      listen: [{ address: '192.0.2.1', port: 3 }],
      maxAgeMs: 60_000,
      commands: {},
      acceptAnySource: true,
    },
    logLevel: 'debug',
    controlSocket: '/run/hknock.sock',
    sknock: {
      listen: [{ address: '192.0.2.1', port: 4 }],
      range: true,
      windowMs: 60_000,
      checkAddress: false,
      minFrameLength: 800,
    },
    certificates: {
      ca: '/srv/ca.pem',
      key: '/etc/keys/server.key',
      crl: 'https://ca.example.org/crl.der',
      crlRefreshMs: 600_000,
      onStale: 'warn',
      threads: 3,
    },
  });
});

const ssh = '[services.ssh]\nports = ["tcp/22"]\n';

const material = '[certificates]\nca = "c"\nkey = "k"\n';

const wrong: readonly (readonly [content: string, ...places: string[]])[] = [
  ['listen = []', '1: listen: '],
  ['silent.slots = 65', '1: silent.slots: '],
  ['silent.guesses_per_day = 1', '1: silent.guesses_per_day: '],
  ['silent.enabled = true', '1: silent.addresses: '],
  [
    'silent.enabled = true\npublic_hosts = ["192.0.2.1"]\nfirewall.backend = "none"',
    '1: silent.enabled: ',
  ],
  ['fwknop.max_age = "2h"', '1: fwknop.max_age: '],
  ['fwknop.listen = []', '1: fwknop.listen: '],
  ['fwknop.commands.x = ["true"]', '1: fwknop.commands: '],
  ['fwknop.commands.x = []', '1: fwknop.commands.x: '],
  ['fwknop.enabled = true\n[services.x]\nports = ["udp/62201"]', '3: services.x.ports[0]: '],
  ['[sknock]\nlisten = ["0.0.0.0:9"]', '1: certificates: '],
  [`[sknock]\nlisten = ["0.0.0.0:62202"]\n${material}`, '2: sknock.listen[0]: '],
  [`[sknock]\nlisten = ["0.0.0.0:9"]\nwindow = "500ms"\n${material}`, '3: sknock.window: '],
  [
    `[sknock]\nlisten = ["0.0.0.0:9"]\n${material}[services.x]\nports = ["udp/9"]`,
    '7: services.x.ports[0]: ',
  ],
  ['[certificates]', '1: certificates.ca: ', '1: certificates.key: '],
  ['[certificates]\nca = ""\nkey = "k"', '2: certificates.ca: '],
  ['[certificates]\nca = "c"\nkey = "k"\ncrl_refresh = "0s"', '4: certificates.crl_refresh: '],
  ['[certificates]\nca = "c"\nkey = "k"\non_stale = "open"', '4: certificates.on_stale: '],
  ['[certificates]\nca = "c"\nkey = "k"\nthreads = 0', '4: certificates.threads: '],
  ['listen = "0.0.0.0:1"', '1: listen: '],
  ['listen = [\n"0.0.0.0"]', '2: listen[0]: '],
  ['listen = ["localhost:1"]', '1: listen[0]: '],
  ['listen = ["0.0.0.0:0"]', '1: listen[0]: '],
  ['listen = ["0.0.0.0:65536"]', '1: listen[0]: '],
  ['listen = [":::1"]', '1: listen[0]: '],
  ['listen = ["[192.0.2.1:1"]', '1: listen[0]: '],
  ['listen = ["0.0.0.0:1", "0.0.0.0:1"]', '1: listen[1]: '],
  ['public_hosts = ["a b"]', '1: public_hosts[0]: '],
  ['\n\n[firewall]\nbackend = "pf"', '4: firewall.backend: '],
  ['admission.port_range = "1024-11022"', '1: admission.port_range: '],
  ['admission.port_range = "60000-50000"', '1: admission.port_range: '],
  ['server.workers = 0', '1: server.workers: '],
  ['server.workers = 65', '1: server.workers: '],
  ['admission.port_guesses = 0', '1: admission.port_guesses: '],
  ['firewall.on_stop = true', '1: firewall.on_stop: '],
  ['[firewall]\non-stop = "open"', '2: firewall.on-stop: '],
  ['[firewall.userspace]\nlisten = ["x"]', '2: firewall.userspace.listen[0]: '],
  ['[firewall.command]\nopen = "/bin/open"', '2: firewall.command.open: '],
  ['[firewall.command]\nopen = ["/bin/open\\u0000"]', '2: firewall.command.open[0]: '],
  ['[firewall.command]\ntime_limit = "2m"', '2: firewall.command.time_limit: '],
  ['firewall.backend = "command"', '1: firewall.command.open: ', '1: firewall.command.close: '],
  [
    '[firewall]\nbackend = "command"\n[firewall.command]\nopen = [""]\nclose = ["x"]',
    '4: firewall.command.open: ',
  ],
  ['gate.listen = ["0.0.0.0:1", "[::]:2"]', '1: gate.listen[1]: '],
  [`gate.listen = ["0.0.0.0:22"]\n${ssh}`, '3: services.ssh.ports[0]: '],
  [`firewall.backend = "userspace"\n${ssh}`, '2: services.ssh.upstream: '],
  [`${ssh}upstream = ["127.0.0.1:1", "127.0.0.1:2"]`, '3: services.ssh.upstream: '],
  [`${ssh}upstream = "127.0.0.1:1"`, '3: services.ssh.upstream: '],
  ['[policy]\nadmission = "any"', '2: policy.admission: '],
  ['[policy]\nttl = 30', '2: policy.ttl: '],
  ['[policy]\nttl = "30 s"', '2: policy.ttl: '],
  ['[policy]\nttl = "0s"', '2: policy.ttl: '],
  ['[policy]\ncut_on_revoke = 1', '2: policy.cut_on_revoke: '],
  ['[limits]\ngrants = 0', '2: limits.grants: '],
  ['[limits]\ngrants = 99999999999999999999', '2: limits.grants: '],
  ['[limits]\ngrants = -1', '2: limits.grants: '],
  ['[log]\nlevel = "loud"', '2: log.level: '],
  ['[control]\npath = ""', '2: control.path: '],
  [`[control]\npath = "${'x'.repeat(103)}"`, '2: control.path: '],
  [`[control]\npath = "/${'\u00E9'.repeat(54)}"`, '2: control.path: '],
  ['[service.ssh]', '1: service: '],
  ['[services.ssh]', '1: services.ssh.ports: '],
  ['[services.ssh]\nports = []', '2: services.ssh.ports: '],
  ['[services.ssh]\nports = ["22"]', '2: services.ssh.ports[0]: '],
  ['[services.ssh]\nports = ["tcp/022"]', '2: services.ssh.ports[0]: '],
  [`${ssh}[services.sftp]\nports = ["tcp/21",\n"tcp/22"]`, '5: services.sftp.ports[1]: '],
  ['[services.oops]\nports = ["tcp/62202", "udp/62202"]', '2: services.oops.ports[1]: '],
  ['listen = ["192.0.2.1:7"]\n[services.oops]\nports = ["udp/7"]', '3: services.oops.ports[0]: '],
  [`${ssh}${ssh}`, '3: '],
  ['[services.Ssh]\nports = ["tcp/22"]', '1: services.Ssh: '],
  [`[services.${'x'.repeat(33)}]\nports = ["tcp/22"]`, `1: services.${'x'.repeat(33)}: `],
  ['[services.__proto__]\nports = ["tcp/22"]', '1: services.__proto__: '],
  ['[[services]]', '1: services: '],
  ['listen = 1979-05-27T07:32:00Z', '1: listen: '],
  ['listen == 1', '1: '],
  ['\n[log', '2: '],
  [
    '[limits]\ngrants = 0\nx = 1\n[polcy]\n[log]\nlevel = 1',
    '2: limits.grants: ',
    '3: limits.x: ',
    '4: polcy: ',
    '6: log.level: ',
  ],
];

for (const [content, ...places] of wrong) {
  test(`a wrong configuration is told with file, line and key: ${JSON.stringify(content.slice(0, 70))}`, async (t) => {
    const fault = await faultOf(() => decodeConfig(content, '/srv'));
    t.is(fault.code, 'config');
    const lines = fault.message.split('\n');
    t.is(lines.length, places.length, fault.message);
    places.forEach((place, at) => {
      t.true(lines[at]?.startsWith(`/srv/hknock.toml:${place}`), lines[at]);
    });
  });
}

test('the longest socket path that the system takes is taken', (t) => {
  const path = `/${'x'.repeat(106)}`;
  t.is(decodeConfig(`control.path = "${path}"`, '/srv').controlSocket, path);
  t.throws(() => decodeConfig(`control.path = "${path}x"`, '/srv'), { code: 'config' });
  t.throws(() => decodeConfig('', `/${'x'.repeat(100)}`), { code: 'config' });
});

test('a backend named elsewhere takes the place of the file\u2019s, with its own conditions', async (t) => {
  t.is(decodeConfig(ssh, '/srv', { backend: 'none' }).firewall.backend, 'none');
  t.notThrows(() =>
    decodeConfig(`firewall.backend = "command"\n${ssh}`, '/srv', { backend: 'none' }),
  );
  const fault = await faultOf(() => decodeConfig(ssh, '/srv', { backend: 'userspace' }));
  t.is(fault.code, 'config');
});

test('no text does worse than a fault of the configuration', (t) => {
  const change = fc.tuple(
    fc.nat(everything.length),
    fc.nat(9),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  fc.assert(
    fc.property(change, ([at, cut, insert]) => {
      try {
        decodeConfig(everything.slice(0, at) + insert + everything.slice(at + cut), '/srv');
      } catch (error) {
        if (!(error instanceof HknockError) || error.code !== 'config') throw error;
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('no table of values does worse either', (t) => {
  const key = fc.constantFrom(
    'listen',
    'firewall',
    'services',
    'policy',
    'limits',
    'command',
    'open',
    'ssh',
    'ports',
    'ttl',
    'upstream',
    '__proto__',
    'toString',
  );
  const { document } = fc.letrec<{ document: string; value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(fc.integer(), fc.boolean(), fc.double()).map(String),
      fc.string().map((text) => JSON.stringify(text)),
      fc.constant('1979-05-27'),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      fc.dictionary(key, tie('value'), { maxKeys: 3 }).map(
        (table) =>
          `{ ${Object.entries(table)
            .map((pair) => pair.join(' = '))
            .join(', ')} }`,
      ),
    ),
    document: fc.dictionary(key, tie('value'), { maxKeys: 4 }).map((table) =>
      Object.entries(table)
        .map((pair) => pair.join(' = '))
        .join('\n'),
    ),
  }));
  fc.assert(
    fc.property(document, (content) => {
      try {
        decodeConfig(content, '/srv');
      } catch (error) {
        if (!(error instanceof HknockError) || error.code !== 'config') throw error;
      }
    }),
    { numRuns: 1000 },
  );
  t.false('ssh' in {});
});

test('a configuration may be read by others, but not written, nor may its folder', async (t) => {
  const directory = await scratch(t);
  const missing = await faultOf(() => loadServerConfig(directory));
  t.is(missing.code, 'config');
  t.truthy(missing.hint);
  await writeFile(join(directory, 'hknock.toml'), template, { mode: 0o644 });
  t.is((await loadServerConfig(directory)).directory, directory);
  await chmod(join(directory, 'hknock.toml'), 0o664);
  t.is((await faultOf(() => loadServerConfig(directory))).code, 'config');
  await chmod(join(directory, 'hknock.toml'), 0o600);
  await chmod(directory, 0o777);
  t.is((await faultOf(() => loadServerConfig(directory))).code, 'config');
});
