import test from 'ava';
import { readRule } from '../../../../src/config/knockd/rule.ts';
import { formatServicePort } from '../../../../src/units/network.ts';

function read(command: string): string | null {
  const rule = readRule(command);
  return rule && `${rule.action} ${formatServicePort(rule.port)}`;
}

for (const [command, expected] of [
  ['/sbin/iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT', 'open tcp/22'],
  ['/usr/sbin/iptables -I INPUT 1 -s %IP% -p udp --dport 51820 -j ACCEPT', 'open udp/51820'],
  ['iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT', 'close tcp/22'],
  ['ip6tables-nft -A INPUT -s %IP% -p tcp --syn --dport 22 -j ACCEPT', 'open tcp/22'],
  [
    'iptables -A INPUT -p tcp -m tcp -m state --state NEW -s %IP% --dport 22 -j ACCEPT',
    'open tcp/22',
  ],
] as const) {
  test(`${command} is ${expected}`, (t) => {
    t.is(read(command), expected);
  });
}

for (const command of [
  '',
  '/usr/local/sbin/knock_add -i -c INPUT -p tcp -d 443 -f %IP%',
  '/usr/sbin/iptables -A INPUT -s %IP% -p tcp --syn -j ACCEPT',
  'iptables -A INPUT -s %IP% --dport 22 -j ACCEPT',
  'iptables -A INPUT -s %IP% -p tcp --dport 22:23 -j ACCEPT',
  'iptables -A INPUT -s %IP% -p tcp --dport 0 -j ACCEPT',
  'iptables -A INPUT -s %IP% -p tcp --dport 22 -j DROP',
  'iptables -A INPUT -p tcp --dport 22 -j ACCEPT',
  'iptables -A INPUT -s %IP%/24 -p tcp --dport 22 -j ACCEPT',
  'iptables -A INPUT -s %IP% ! -i eth0 -p tcp --dport 22 -j ACCEPT',
  'iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT; reboot',
  'iptables -A INPUT -s %IP% -p tcp --dport 22 -d 192.0.2.1 -j ACCEPT',
  'sh -c "iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT"',
]) {
  test(`no rule that lets a knocker in to one port: ${command}`, (t) => {
    t.is(read(command), null);
  });
}
