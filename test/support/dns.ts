import { inline } from './inline.ts';
import type { Machine } from './machine.ts';
import { until } from './netns.ts';

/** What the server says of {@link knownName}. */
export const knownAddress = '203.0.113.77';
const knownName = 'inside.example';

/** Starts a DNS server (dnsmasq) on UDP port 53 of all addresses. */
export async function startDns(machine: Machine): Promise<void> {
  const settings = ['--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file'];
  const records = `--address=/${knownName}/${knownAddress}`;
  machine.start(['dnsmasq', '--keep-in-foreground', '--user=root', ...settings, records], {
    stdio: 'ignore',
  });
  const isUp = async (): Promise<boolean> => (await lookUp(machine, '127.0.0.1')) === knownAddress;
  await until(isUp, 'the DNS server', 30_000);
}

/** What a DNS server, such as `192.0.2.1` or `127.0.0.1:5353`, says to a machine that asks it for what it knows. */
export async function lookUp(machine: Machine, server: string): Promise<string> {
  return (await machine.place.exec(question(server))).stdout.trim();
}

/** The command line that asks; where HKNOCK_HOST and HKNOCK_PORT say if nobody else does. Each time it is another program, with a UDP port of its own. */
export function question(server = ''): readonly string[] {
  return inline(ask, server, knownName);
}

async function ask(server: string, name: string): Promise<void> {
  const { Resolver } = await import('node:dns/promises');
  // an answer takes a few milliseconds; a loaded machine may need the second try
  const resolver = new Resolver({ timeout: 700, tries: 3 });
  const { HKNOCK_HOST = '', HKNOCK_PORT = '' } = process.env;
  resolver.setServers([server === '' ? `${HKNOCK_HOST}:${HKNOCK_PORT}` : server]);
  const [address = 'nothing'] = await resolver.resolve4(name).catch(() => ['no answer']);
  console.log(address);
}
