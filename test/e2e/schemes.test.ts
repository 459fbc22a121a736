import { writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { netTestWith } from '../support/capabilities.ts';
import { ask, deploy, type Deployment, servicePort } from '../support/deployment.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const test = netTestWith('tcpdump', 'knock', 'nmap').serial;

const target = { address: addresses.server, port: servicePort };
const target6 = { address: addresses.server6, port: servicePort };

/** The same files for server and client. */
const schemes = {
  door: `kind = "fixed"
peer = "alice"
service = "web"
open = ["tcp/7301", "udp/7107", "tcp/7512", "tcp/7512"]
close = ["tcp/7512", "tcp/7301", "udp/7107"]
ban = ["udp/7107", "tcp/7512", "tcp/7301"]
ban_time = "10m"
`,
  fins: `kind = "fixed"
peer = "alice"
service = "web"
open = ["tcp/7401", "tcp/7402", "tcp/7403"]
tcpflags = "fin,!ack"
`,
  digits: `kind = "dynamic"
peer = "alice"
ports = "9100-9109"
header = "203"
footer = "302"
`,
  eight: `kind = "encrypted"
peer = "alice"
protocol = "udp"
ports = "9300-9555"
key = "${Buffer.from('a key of 24 bytes, truly').toString('base64url')}"
`,
};

class Stage {
  readonly deployment: Deployment;

  constructor(deployment: Deployment) {
    this.deployment = deployment;
    for (const [name, text] of Object.entries(schemes)) {
      writeFileSync(deployment.client.path(`${name}.toml`), text, { mode: 0o600 });
    }
  }

  /** `hknock sequence SERVER ARGS --scheme NAME.toml` on the client. */
  async knock(name: keyof typeof schemes, ...args: readonly string[]): Promise<string> {
    const { client } = this.deployment;
    const file = client.path(`${name}.toml`);
    const [server = addresses.server, ...rest] = args;
    return (await client.hknock(['sequence', server, ...rest, '--scheme', file])).stdout.trim();
  }

  async count(counter: string): Promise<number> {
    const { modes } = (await ask(this.deployment.server, 'status')) as Status;
    return modes.sequence[counter] ?? -1;
  }

  async reaches(counter: string, count: number): Promise<void> {
    await until(
      async () => (await this.count(counter)) >= count,
      `${counter} to be ${String(count)}`,
      30_000,
    );
  }
}

interface Status {
  readonly modes: { readonly sequence: Readonly<Record<string, number>> };
}

async function open(t: ExecutionContext): Promise<Stage> {
  return new Stage(await deploy(t, { schemes, ttl: '2m' }));
}

test('the classic schemes, with our client and with Debian’s knock', async (t) => {
  const stage = await open(t);
  const { client, neighbour, daemon } = stage.deployment;
  for (const name of Object.keys(schemes)) t.true(daemon.log.includes(`scheme=${name}`), name);
  t.is(await visit(client, target), 'no answer');

  // fixed: what --print says is for knock
  const printed = await stage.knock('door', addresses.server, '--print');
  t.is(printed, `${addresses.server} 7301:tcp 7107:udp 7512:tcp 7512:tcp`);
  await client.run(['knock', '-d', '20', ...printed.split(' ')]);
  await stage.reaches('granted', 1);
  t.is(await visit(client, target), welcome);
  t.is(await visit(neighbour, target), 'no answer', 'the grant was for one connection');

  // fixed: one that is closed before it is used
  await stage.knock('door', addresses.server6);
  await stage.reaches('granted', 2);
  await stage.knock('door', addresses.server6, '--action', 'close');
  await stage.reaches('closed', 1);
  t.is(await visit(client, target6), 'no answer');

  // dynamic: the port that is named
  await stage.knock('digits', addresses.server6, `tcp/${String(servicePort)}`);
  await stage.reaches('granted', 3);
  t.is(await visit(client, target6), welcome);

  // encrypted: packets over IPv6 that let an IPv4 address in
  const third = [`tcp/${String(servicePort)}`, '--address', addresses.public, '--lifetime', '1m'];
  await stage.knock('eight', addresses.server6, ...third);
  await stage.reaches('granted', 4);
  t.is(await visit(client, target6), 'no answer');
  t.is(await visit(client, target), welcome);

  // fixed, by segments that are no SYNs: over IPv6, since a NAT does not pass on what it knows no connection of
  const fins = ['-6', '-n', '-Pn', '-r', '-p', '7401-7403', '--max-retries', '0'];
  await client.run(['nmap', '-sS', ...fins, addresses.server6]);
  await client.run(['nmap', '-sF', ...fins, addresses.server6]);
  await stage.reaches('granted', 5);
  t.is(await visit(client, target6), welcome);
  t.is(await stage.count('granted'), 5, 'the SYNs were none');

  // fixed: a source that is banned is not heard any more; another one is
  await stage.knock('door', addresses.server6, '--action', 'ban');
  await stage.reaches('banned', 1);
  await stage.knock('door', addresses.server6);
  await stage.reaches('from banned', 4);
  t.is(await visit(client, target6), 'no answer');
  await stage.knock('door', addresses.server);
  await stage.reaches('granted', 6);
});
