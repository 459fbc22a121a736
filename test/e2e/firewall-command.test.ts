// client 10.77.0.2-4, fd00:77::2-4 ---- 10.77.0.1, fd00:77::1 server: echo services on ports 7001 and 7002, an
// operator's own rules that shut them, and commands that change a set of these rules
import { createCommand } from '../../src/firewall/command/command.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { netTest } from '../support/capabilities.ts';
import { conforms } from '../unit/firewall/conformance.ts';
import { stageForFile } from '../unit/firewall/namespace-stage.ts';

const ruleset = `table inet operator {
  set ipv4 { type ipv4_addr . inet_proto . inet_service; }
  set ipv6 { type ipv6_addr . inet_proto . inet_service; }
  chain input {
    type filter hook input priority filter;
    ct state established accept
    th dport != { 7001, 7002 } accept
    ip saddr . meta l4proto . th dport @ipv4 accept
    ip6 saddr . meta l4proto . th dport @ipv6 accept
    meta l4proto { tcp, udp } drop
  }
}`;

const stage = stageForFile(async ({ server }) => {
  await server.exec(['nft', '-f', '-'], { input: ruleset });
});

function nft(verb: 'add' | 'delete'): readonly string[] {
  const element = '{ {address} . {protocol} . {port} }';
  return stage().server.argv(['nft', verb, 'element', 'inet', 'operator', '{family}', element]);
}

conforms({
  name: 'command',
  declare: netTest.serial,
  bench: () => stage().bench,
  create: () =>
    createCommand({
      clock: createSystemClock(),
      log: new FakeLog(),
      open: nft('add'),
      close: nft('delete'),
      timeLimitMs: 10_000,
    }),
  can: { once: false, cut: false },
});
