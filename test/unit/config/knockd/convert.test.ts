import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { carryOver } from '../../../../src/config/knockd/convert.ts';
import { importKnockdFile } from '../../../../src/config/knockd/import.ts';
import { decodeScheme, readSchemeFile, schemePath } from '../../../../src/config/scheme-files.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import { Folder } from '../../server/folder.ts';
import { faultOf, scratch } from '../../store/scratch.ts';

const alice = parsePeerName('alice');

/** As Debian's package has it. */
const debian = `[options]
	UseSyslog

[openSSH]
	sequence    = 7000,8000,9000
	seq_timeout = 5
	command     = /sbin/iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
	tcpflags    = syn

[closeSSH]
	sequence    = 9000,8000,7000
	seq_timeout = 5
	command     = /sbin/iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
	tcpflags    = syn

[openHTTPS]
	sequence    = 12345,54321,24680,13579
	seq_timeout = 5
	command     = /usr/local/sbin/knock_add -i -c INPUT -p tcp -d 443 -f %IP%
	tcpflags    = syn
`;

function carry(text: string) {
  const { schemes, notes, services } = carryOver(text, {
    peer: alice,
    serviceOf: ({ port }) => (port === 22 ? parseServiceName('ssh') : null),
  });
  return { schemes, services, noted: notes.map(({ line }) => line), notes };
}

/** What is left of a door when only this much of it is told. */
const door = (lines: string): string =>
  `[door]\nsequence = 7003,7001,7002\nstart_command = iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT\n${lines}`;

test('Debian’s own: the doors that open and close ssh are one scheme; what is lost is told by its line', (t) => {
  const { schemes, noted, services } = carry(debian);
  t.deepEqual(
    schemes.map(({ name }) => name),
    ['openssh'],
  );
  t.deepEqual(noted, [2, 4, 19]);
  t.is(services.size, 0);
  const [scheme] = schemes.map(({ name, text }) =>
    decodeScheme(text, { file: `${name}.toml`, code: 'bad-input' }),
  );
  t.like(scheme, { kind: 'fixed', peer: 'alice' });
  t.deepEqual(
    (['open', 'close'] as const).map((action) => scheme?.hits({ action }).map(({ port }) => port)),
    [
      [7000, 8000, 9000],
      [9000, 8000, 7000],
    ] as never,
  );
});

test('a door that closes itself has that time, and one of both protocols has both', (t) => {
  const { schemes, noted } = carry(`[one]
sequence      = 2222:udp,3333:tcp,4444:UDP
start_command = /usr/sbin/iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
CMD_Timeout   = 5
tcpflags = fin, !ack
stop_command  = /usr/sbin/iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
start_command_6 = /usr/sbin/ip6tables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
`);
  t.deepEqual(noted, []);
  t.regex(schemes[0]?.text ?? '', /tcpflags = "fin, !ack"/);
  t.regex(schemes[0]?.text ?? '', /lifetime = "5s"/);
  t.regex(schemes[0]?.text ?? '', /seq_timeout = "25s"/, 'knockd’s default');
  t.regex(schemes[0]?.text ?? '', /open = \["udp\/2222", "tcp\/3333", "udp\/4444"\]/);
});

for (const [what, text, line, schemeCount] of [
  ['a command that is no rule', '[a]\nsequence = 1,2,3\ncommand = reboot', 3, 0],
  ['no command', '[a]\nsequence = 1,2,3', 1, 0],
  ['two knocks', '[a]\nsequence = 1,2\ncommand = reboot', 2, 0],
  ['a sequence of something else', '[a]\nsequence = a,b,c\ncommand = reboot', 2, 0],
  ['sequences from a file', '[a]\none_time_sequences = /etc/knockd/smtp', 2, 0],
  ['a target', door('target = 192.0.2.1'), 4, 1],
  ['a stop command that does more', door('stop_command = reboot'), 4, 1],
  [
    'a time that is too long',
    door(
      'seq_timeout = 3600\nstop_command = iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT',
    ),
    4,
    1,
  ],
  ['flags that are none', door('tcpflags = fin,!cwr'), 4, 1],
  ['a key that nobody knows', door('colour = green'), 4, 1],
  ['a line before all doors', `colour = green\n${door('')}`, 1, 1],
  [
    'a door that closes what none opens',
    '[a]\nsequence = 1,2,3\ncommand = iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT',
    1,
    0,
  ],
  ['an interface', `[options]\ninterface = eth1\n${door('')}`, 2, 1],
] as const) {
  test(`${what}: told with its line`, (t) => {
    const { schemes, noted } = carry(text);
    t.true(noted.includes(line), noted.join(','));
    t.is(schemes.length, schemeCount);
  });
}

test('what a key lost never shows what stood there', (t) => {
  for (const { sentence } of carry(debian).notes) t.notRegex(sentence, /7000|8000|12345/);
});

test('a port that no service has gets one, and doors of one name two files', (t) => {
  const { schemes, services } = carry(
    [25, 26]
      .map((port) =>
        door('')
          .replace('22', String(port))
          .replace('7003', `70${String(port)}`),
      )
      .join('\n'),
  );
  t.deepEqual([...services.keys()].map(String), ['tcp-25', 'tcp-26']);
  t.deepEqual(
    schemes.map(({ name }) => name),
    ['door', 'door-2'],
  );
});

test('the schemes are in the server’s folder, for its owner only, and are not written twice', async (t) => {
  const folder = await Folder.create(t);
  const file = join(await scratch(t), 'knockd.conf');
  await writeFile(file, debian, { mode: 0o600 });
  const { schemes } = await importKnockdFile(file, folder.path, alice);
  t.is(schemes.length, 1);
  const path = schemePath(folder.path, 'openssh');
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.like(await readSchemeFile(path, { code: 'config' }), { kind: 'fixed' });
  t.is((await faultOf(() => importKnockdFile(file, folder.path, alice))).code, 'usage');
});

test('a file of which nothing can be carried over is no success', async (t) => {
  const folder = await Folder.create(t);
  const file = join(await scratch(t), 'knockd.conf');
  await writeFile(file, '[a]\nsequence = 1,2,3\ncommand = reboot\n', { mode: 0o600 });
  const fault = await faultOf(() => importKnockdFile(file, folder.path, alice));
  t.is(fault.code, 'bad-input');
  t.regex(fault.message, /knockd\.conf:3: /);
});
