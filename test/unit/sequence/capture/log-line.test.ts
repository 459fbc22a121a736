import test from 'ava';
import fc from 'fast-check';
import { parseKernelRecord, parseLogLine } from '../../../../src/sequence/capture/log-line.ts';

const prefix = 'knock: ';
const syn =
  'IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=192.0.2.7 DST=198.51.100.2 LEN=60 TOS=0x00 PREC=0x00 TTL=57 ID=54321 DF PROTO=TCP SPT=40000 DPT=7000 WINDOW=64240 RES=0x00 SYN URGP=0 OPT (020405B4)';
const line = (packet: string): string =>
  `Nov 21 10:00:00 gate kernel: [  123.456789] ${prefix}${packet}`;
const over6 = (proto: string): string =>
  line(
    `IN=eth0 OUT= SRC=2001:0db8:0000:0000:0000:0000:0000:0007 DST=2001:0db8:0000:0000:0000:0000:0000:0002 LEN=49 TC=0 HOPLIMIT=58 FLOWLBL=0 ${proto}`,
  );

test('a SYN, with what it tells of its sender', (t) => {
  t.deepEqual(parseLogLine(line(syn), prefix) as unknown, {
    protocol: 'tcp',
    source: '192.0.2.7',
    destination: '198.51.100.2',
    sourcePort: 40_000,
    port: 7000,
    ttl: 57,
    tcpFlags: 0x02,
    syn: { window: 64_240, dontFragment: true, length: 60, options: Uint8Array.of(2, 4, 5, 0xb4) },
  });
});

for (const [name, start] of [
  ['an RFC 3339 time', '2026-11-21T10:00:00.123456+01:00 gate kernel: '],
  ['a day of one digit', 'Nov  1 10:00:00 gate kernel: '],
  ['the kernel’s own time', '2026-11-21T10:00:00Z gate kernel: [123.456789] '],
] as const) {
  test(`a line with ${name}`, (t) => {
    t.like(parseLogLine(`${start}${prefix}${syn}`, prefix), { port: 7000 });
  });
}

test('datagrams and echo requests, over IPv6 too', (t) => {
  const udp = 'PROTO=UDP SPT=40000 DPT=7001 LEN=9';
  t.like(parseLogLine(over6(udp), prefix), { protocol: 'udp', source: '2001:db8::7', port: 7001 });
  t.like(parseLogLine(line(syn.replace(/PROTO.*/, udp)), prefix), { protocol: 'udp', port: 7001 });
  const echo = 'PROTO=ICMPv6 TYPE=128 CODE=0 ID=1 SEQ=1';
  t.like(parseLogLine(over6(echo), prefix), { protocol: 'icmp', ttl: 58 });
  const echo4 = line(syn.replace(/PROTO.*/, 'PROTO=ICMP TYPE=8 CODE=0 ID=1 SEQ=1'));
  t.like(parseLogLine(echo4, prefix), { protocol: 'icmp', sourcePort: 0 });
  t.like(parseLogLine(echo4.replace('SEQ=1', 'SEQ=2'), prefix), { sourcePort: 3 });
});

test('other segments are told by their flags', (t) => {
  const packet = parseLogLine(line(syn.replace('SYN', 'ACK SYN')), prefix);
  t.like(packet, { port: 7000, tcpFlags: 0x12, syn: null });
  t.like(parseLogLine(line(syn.replace('SYN', 'URG PSH FIN')), prefix), { tcpFlags: 0x29 });
});

test('an ICMP error is no knock, and the packet that it quotes is not read', (t) => {
  const error = `IN=eth0 OUT= SRC=192.0.2.7 DST=198.51.100.2 LEN=88 TTL=57 ID=1 PROTO=ICMP TYPE=3 CODE=3 [${syn}]`;
  t.is(parseLogLine(line(error), prefix), 'other');
});

for (const [name, text, reason] of [
  ['another rule’s', line(syn).replace(prefix, 'drop: '), 'foreign'],
  ['another program’s', line(syn).replace('kernel:', 'sshd[9]:'), 'foreign'],
  [
    'another program’s that quotes one',
    `Nov 21 10:00:00 gate sshd[9]: Invalid user ${line(syn)}`,
    'foreign',
  ],
  ['longer than the kernel writes', line(syn + ' '.repeat(2048)), 'foreign'],
  ['with two sources', line(`${syn} SRC=203.0.113.9`), 'malformed'],
  ['with no source', line(syn.replace('SRC=192.0.2.7', '')), 'malformed'],
  ['with a source that is none', line(syn.replace('192.0.2.7', '192.0.2')), 'malformed'],
  ['with a port that is none', line(syn.replace('DPT=7000', 'DPT=70000')), 'malformed'],
  ['that was cut', line(syn).slice(0, line(syn).indexOf(' WINDOW')), 'malformed'],
  ['that was cut behind the flags', line(syn).slice(0, line(syn).indexOf(' URGP')), 'malformed'],
  ['of a fragment', line(syn.replace('DF', 'MF')), 'fragment'],
  ['of another protocol', line(syn.replace('PROTO=TCP', 'PROTO=47')), 'other'],
] as const) {
  test(`a line ${name}: ${reason}`, (t) => {
    t.is(parseLogLine(text, prefix), reason);
  });
}

test('every beginning of a line is read without a fault', (t) => {
  const whole = line(syn);
  for (let length = 0; length < whole.length; length++) {
    t.notThrows(() => parseLogLine(whole.slice(0, length), prefix));
  }
});

test('whatever the text behind the prefix, nothing is thrown', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      t.notThrows(() => parseLogLine(line(`IN=${text}`), prefix));
    }),
  );
});

test('a record of the kernel’s own log counts, and none of a program’s', (t) => {
  const record = (priority: number): string =>
    `${String(priority)},815,4711,-;${prefix}${syn}\n SUBSYSTEM=net\n`;
  t.like(parseKernelRecord(record(4), prefix), { number: 815, packet: { port: 7000 } });
  t.deepEqual(parseKernelRecord(record(12), prefix), { number: 815, packet: 'foreign' });
  t.deepEqual(parseKernelRecord('6,816,4712,-,caller=T1;eth0: up\n', prefix), {
    number: 816,
    packet: 'foreign',
  });
  t.is(parseKernelRecord(' SUBSYSTEM=net\n', prefix), null);
});

test('no bytes are a record by accident', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = parseKernelRecord(text, prefix);
      t.true(read === null || read.packet === 'foreign');
    }),
  );
});
