import test from 'ava';
import { parseConnections } from '../../../../src/firewall/nftables/connections.ts';
import { parseFlows, parseUdpFlows } from '../../../../src/firewall/nftables/conntrack.ts';
import { parseFault } from '../../../../src/firewall/nftables/faults.ts';
import { inLines } from '../../../../src/firewall/nftables/lines.ts';
import {
  markOf,
  markOfPeer,
  OUR_MARKS,
  peerPart,
} from '../../../../src/firewall/nftables/marks.ts';
import type { IpAddress, Port } from '../../../../src/units/network.ts';
import type { PeerName } from '../../../../src/units/names.ts';

// as a little-endian machine prints it; the first line is a listener, the last has been closed by one side
const procNetTcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:0016 0201A8C0:C001 01 00000000:00000000 02:000A0000 00000000     0        0 2 2 0 20 4 30 10 -1
   2: 0100007F:0016 0301A8C0:C002 08 00000000:00000000 02:000A0000 00000000     0        0 2 2 0 20 4 30 10 -1
`;
const procNetTcp6 = `  sl  local_address                         remote_address                        st
   0: B80D0120000000000000000001000000:01BB B80D0120000000000000000002000000:D431 01 0
   1: 0000000000000000FFFF00000100007F:01BB 0000000000000000FFFF00000201A8C0:D432 01 0
`;

test('/proc/net/tcp: established connections only', (t) => {
  t.deepEqual(parseConnections(procNetTcp), [
    { remote: { address: '192.168.1.2' as IpAddress, port: 0xc001 }, localPort: 22 as Port },
  ]);
});

test('/proc/net/tcp6: IPv6, and IPv4 by a socket for both', (t) => {
  t.deepEqual(parseConnections(procNetTcp6), [
    { remote: { address: '2001:db8::2' as IpAddress, port: 0xd431 }, localPort: 443 as Port },
    { remote: { address: '192.168.1.2' as IpAddress, port: 0xd432 }, localPort: 443 as Port },
  ]);
});

test('conntrack -L: UDP flows that have been answered', (t) => {
  const text = `tcp      6 431999 ESTABLISHED src=192.0.2.1 dst=192.0.2.9 sport=40000 dport=22 src=192.0.2.9 dst=192.0.2.1 sport=22 dport=40000 [ASSURED] mark=1795162145 use=1
udp      17 29 src=192.0.2.1 dst=192.0.2.9 sport=40000 dport=53 [UNREPLIED] src=192.0.2.9 dst=192.0.2.1 sport=53 dport=40000 mark=1795162145 use=1
udp      17 29 src=192.0.2.2 dst=192.0.2.9 sport=40000 dport=53 src=192.0.2.9 dst=192.0.2.2 sport=53 dport=40000 mark=1795162145 use=1
udp      17 119 src=2001:db8::1 dst=2001:db8::9 sport=40001 dport=123 src=2001:db8::9 dst=2001:db8::1 sport=123 dport=40001 [ASSURED] mark=1795162146 use=1
`;
  t.deepEqual(parseUdpFlows(text), [
    { source: '192.0.2.2' as IpAddress, port: 53 as Port, mark: 1_795_162_145 },
    { source: '2001:db8::1' as IpAddress, port: 123 as Port, mark: 1_795_162_146 },
  ]);
});

test('a mark tells the peer, whichever of its grants it is of', (t) => {
  for (let turn = 0; turn < 40; turn++) {
    const mark = markOf('alice' as PeerName, turn);
    t.is(peerPart(mark), markOfPeer('alice' as PeerName).value);
    t.not(peerPart(mark), markOfPeer('bob' as PeerName).value);
  }
});

test('conntrack -L: the direction of the first packet, TCP only', (t) => {
  const text = `tcp      6 431999 ESTABLISHED src=192.0.2.1 dst=192.0.2.9 sport=40000 dport=22 src=192.0.2.9 dst=192.0.2.1 sport=22 dport=40000 [ASSURED] mark=1795162145 use=1
tcp      6 431999 ESTABLISHED src=2001:db8::1 dst=2001:db8::9 sport=40001 dport=443 src=2001:db8::9 dst=2001:db8::1 sport=443 dport=40001 [ASSURED] mark=1795162145 use=1
udp      17 29 src=192.0.2.1 dst=192.0.2.9 sport=40000 dport=53 [UNREPLIED] src=192.0.2.9 dst=192.0.2.1 sport=53 dport=40000 mark=1795162145 use=1
`;
  t.deepEqual(parseFlows(text), [
    { remote: { address: '192.0.2.1' as IpAddress, port: 40_000 }, localPort: 22 as Port },
    { remote: { address: '2001:db8::1' as IpAddress, port: 40_001 }, localPort: 443 as Port },
  ]);
});

test('what nft says, and what it means', (t) => {
  t.is(parseFault(''), null);
  t.is(parseFault('                ^^^^\n\n'), null);
  t.is(parseFault('Warning: something is old\n'), null);
  for (const [said, kind] of [
    ['Error: Could not process rule: File exists\nadd element', 'exists'],
    ['Error: No such file or directory; did you mean table', 'missing'],
    ['Error: Could not process rule: Too many open files in system', 'full'],
    ['netlink: Error: cache initialization failed: Operation not permitted', 'denied'],
    ['Error: syntax error, unexpected newline', 'other'],
  ] as const) {
    t.is(parseFault(said)?.kind, kind, said);
  }
});

test('no change is spread over two lines', (t) => {
  const changes = Array.from({ length: 40 }, () => ({ commands: Array<string>(16).fill('x') }));
  const lines = inLines(changes);
  t.deepEqual(
    lines.map((line) => line.length),
    [16, 16, 8],
  );
  t.deepEqual(lines.flat(), changes);
  const [long] = inLines([{ commands: Array<string>(1000).fill('x') }]);
  t.is(long?.length, 1);
});

test('marks: ours, the same for a peer at every start, different for its next grants', (t) => {
  const ann = markOfPeer('ann' as PeerName);
  t.is(ann.value, 0x6b499140); // echo -n ann | sha256sum
  const marks = Array.from({ length: 32 }, (_, turn) => markOf('ann' as PeerName, turn));
  t.is(new Set(marks).size, 32);
  for (const mark of marks) {
    t.is((mark & ann.mask) >>> 0, ann.value);
    t.is((mark & OUR_MARKS.mask) >>> 0, OUR_MARKS.value);
  }
  t.not(markOfPeer('bob' as PeerName).value, ann.value);
});
