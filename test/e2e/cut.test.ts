// Whatever a connection came in by, and whatever firewall let it in: it ends when its peer is cut (topology.ts draws the network).
import { netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, enrol } from '../support/deployment.ts';
import { gatePort, withGate } from '../support/gate.ts';
import type { Machine } from '../support/machine.ts';
import { startService } from '../support/service.ts';

const port = 9000;

/** What lives answers at once, on a machine that does nothing else. */
const PATIENT_MS = 15_000;

interface Connection {
  readonly admission: string;
  readonly conversation: Conversation;
}

interface Backend {
  readonly programs: readonly string[];
  /** What it can enforce and cut. */
  readonly admissions: readonly string[];
  /** Lines for the service in `hknock.toml`. */
  readonly service?: string;
  /** Where the service listens, if not at its port. */
  readonly upstream?: number;
}

const backends: Readonly<Record<string, Backend>> = {
  nftables: {
    programs: ['nft', 'conntrack'],
    admissions: ['address', 'once', 'port', 'bound', 'gate'],
  },
  iptables: {
    programs: ['iptables', 'ipset', 'conntrack'],
    admissions: ['address', 'once', 'gate'],
  },
  userspace: { programs: [], admissions: ['address', 'once', 'gate'], upstream: 9001 },
  // commands cannot cut, and the log says so; the gate can by itself
  command: { programs: ['nft'], admissions: ['gate'] },
};

/** The operator's own rules, which commands change. */
const operator = `table inet operator {
  set ipv4 { type ipv4_addr . inet_proto . inet_service; }
  chain input {
    type filter hook input priority filter;
    ct state established accept
    iif lo accept
    tcp dport != { ${String(port)}, ${String(gatePort)} } accept
    ip saddr . meta l4proto . th dport @ipv4 accept
    meta l4proto tcp drop
  }
}`;

function nft(verb: 'add' | 'delete'): string {
  const element = '{ {address} . {protocol} . {port} }';
  return JSON.stringify(['nft', verb, 'element', 'inet', 'operator', 'ipv4', element]);
}

function configure(name: string, { upstream }: Backend): (text: string) => string {
  const leads = upstream === undefined ? '' : `upstream = ["127.0.0.1:${String(upstream)}"]\n`;
  return (text) =>
    `${withGate(text)
      .replace('backend = "nftables"', `backend = "${name}"`)
      .replace('open = []', `open = ${nft('add')}`)
      .replace('close = []', `close = ${nft('delete')}`)
      // forwarders stand on their ports from the start
      .replace('ports = ["tcp/8080"]', `ports = ["tcp/8081"]\n${leads}`)}
[services.echo]
ports = ["tcp/${String(port)}"]
admission = "address"
${leads}`;
}

for (const [name, backend] of Object.entries(backends)) {
  const { programs, admissions, upstream } = backend;
  netTestWith(...programs)(
    `${name}: a closed grant's and a revoked peer's connections end, by ${admissions.join(', ')}, and nobody else's`,
    async (t) => {
      const { server, client, neighbour, daemon } = await deploy(t, {
        ttl: '60s',
        services: 'echo',
        configure: configure(name, backend),
      });
      await startService(server, upstream ?? port);
      if (name === 'command') await server.place.exec(['nft', '-f', '-'], { input: operator });
      await enrol(server, neighbour, { peer: 'bob', services: 'echo' });
      const connect = (machine: Machine, wanted: readonly string[]) =>
        Promise.all(wanted.map((admission) => connectBy(machine, admission)));
      // one after the other: of two grants that wait for one address, either connection may take either (decision 5)
      const narrow = admissions.filter((each) => each !== 'address');
      const bob = await connect(neighbour, narrow);
      const alice = await connect(client, admissions);
      t.deepEqual(await dead([...bob, ...alice], PATIENT_MS), []);

      await server.hknock(['close', await grantOf(server, 'alice'), '--cut']);
      t.deepEqual(await dead(alice), admissions);
      if (name === 'command') await daemon.writes(/connections were not cut: commands cannot/);
      else t.notRegex(daemon.log, /connections were not cut: commands/);
      t.deepEqual(await dead(bob, PATIENT_MS), [], 'what is another peer’s lives on');
      await server.hknock(['peer', 'revoke', 'bob']);
      t.deepEqual(await dead(bob), narrow);
    },
  );
}

async function connectBy(machine: Machine, admission: string): Promise<Connection> {
  const how = ['echo', '--admission', admission];
  return { admission, conversation: await Conversation.begin(machine, ...how) };
}

async function grantOf(server: Machine, wanted: string): Promise<string> {
  const grants = (await ask(server, 'grants')) as readonly { id: string; peer: string }[];
  return grants.find(({ peer }) => peer === wanted)?.id ?? 'none';
}

/** The admissions of those that carry nothing any more. */
async function dead(connections: readonly Connection[], waitMs = 1000): Promise<unknown> {
  const look = connections.map(async ({ admission, conversation }) =>
    (await conversation.isAlive(waitMs)) ? [] : [admission],
  );
  return (await Promise.all(look)).flat();
}
