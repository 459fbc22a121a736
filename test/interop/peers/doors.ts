import type { ExecutionContext } from 'ava';
import { Conversation } from '../../support/conversation.ts';
import { type Deployment, ask, deploy, servicePort } from '../../support/deployment.ts';
import { inline } from '../../support/inline.ts';
import { Machine } from '../../support/machine.ts';
import { Namespace, cleanUp, interfaceTo, link } from '../../support/netns.ts';
import { startService, welcome } from '../../support/service.ts';
import { addresses } from '../../support/topology.ts';
import { Fwknop } from './fwknop.ts';
import { Knockd } from './knockd.ts';

/** One server with three doors: the same service behind knockd, fwknop and hknock. */
export interface Doors extends Deployment {
  readonly knockd: Knockd;
  readonly fwknop: Fwknop;
}

/** The TCP port of each door; hknock's is the one that `deploy` protects. */
const portOf = { knockd: servicePort + 1, fwknop: servicePort + 2, hknock: servicePort } as const;

export type Door = keyof typeof portOf;

/** The UDP port that hknock's clients knock at. */
export const knockPort = 62202;

/** Builds the server behind the usual NAT, with a firewall that drops by default. All ends with the test. */
export async function threeDoors(t: ExecutionContext): Promise<Doors> {
  // without its shield, so that the process counts whom it turns away
  const configure = (text: string): string => text.replace('shield = true', 'shield = false');
  const hosts = [addresses.server, addresses.server6];
  const deployment = await deploy(t, { hosts, configure });
  const { server, topology } = deployment;
  const device = interfaceTo(topology.nat);
  await dropByDefault(server);
  const [knockd, fwknop] = await Promise.all([
    Knockd.start(server, portOf.knockd, device),
    Fwknop.start(server, [portOf.fwknop], device),
    startService(server, portOf.knockd),
    startService(server, portOf.fwknop),
  ]);
  return { ...deployment, knockd, fwknop };
}

/** The firewall that knockd and fwknop are to open. hknock's port is shut by hknock's own table alone. */
async function dropByDefault(server: Machine): Promise<void> {
  const rules = (icmp: string): string => `*filter
:INPUT DROP
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p ${icmp} -j ACCEPT
-A INPUT -p udp --dport ${String(knockPort)} -j ACCEPT
-A INPUT -p tcp --dport ${String(portOf.hknock)} -j ACCEPT
COMMIT
`;
  await server.run(['iptables-restore'], { input: rules('icmp') });
  await server.run(['ip6tables-restore'], { input: rules('icmpv6') });
}

/** Where somebody is who has nothing to do with the client's network. */
export const strangersAddress = '203.0.113.9';

/** Puts somebody else on the internet, whose packets come to the server from an address of its own. */
export async function addStranger(
  t: ExecutionContext,
  { topology }: Pick<Deployment, 'topology'>,
): Promise<Machine> {
  const { nat } = topology;
  const place = await Namespace.create('stranger');
  cleanUp(t, () => place.remove());
  const stranger = new Machine(place);
  cleanUp(t, () => stranger.remove());
  await link(place, [`${strangersAddress}/24`], nat, ['203.0.113.1/24']);
  await place.exec(['ip', 'route', 'add', 'default', 'via', '203.0.113.1']);
  const rule = `inet nat postrouting ip saddr ${strangersAddress} accept`;
  await nat.exec(['nft', 'insert', 'rule', ...rule.split(' ')]);
  return stranger;
}

/** At which doors somebody gets in, who knocks on none of them but only tries to connect. */
export async function doorsOpenTo(
  visitor: Machine,
  address: string = addresses.server,
): Promise<Readonly<Record<Door, boolean>>> {
  const ports = JSON.stringify(portOf);
  const { stdout } = await visitor.run(inline(tryDoors, address, ports, welcome));
  return JSON.parse(stdout) as Record<Door, boolean>;
}

/** The kernel sends SYNs again after one and three seconds, should the first have come before a rule that is on its way. */
async function tryDoors(host: string, ports: string, greeting: string): Promise<void> {
  const { connect } = await import('node:net');
  const isOpen = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host, port, timeout: 3500 });
      socket.once('connect', () => socket.setTimeout(5000));
      // after a pause of ours an answer may be there, and be read after the timers have had their turn
      const giveUp = (whileConnecting: boolean): void => {
        if (socket.connecting === whileConnecting) socket.destroy();
      };
      socket.once('data', (text) => {
        resolve(String(text).startsWith(greeting));
        socket.destroy();
      });
      socket
        .on('error', () => undefined)
        .on('timeout', () => setImmediate(giveUp, socket.connecting));
      socket.once('close', () => {
        resolve(false);
      });
    });
  const doors = Object.entries(JSON.parse(ports) as Record<string, number>);
  const seen = doors.map(async ([door, port]) => [door, await isOpen(port)] as const);
  console.log(JSON.stringify(Object.fromEntries(await Promise.all(seen))));
}

/** Connects to the service behind a door that is open, and stays. */
export function callAt(caller: Machine, door: Door): Promise<Conversation> {
  return Conversation.over(caller.start(inline(converse, addresses.server, String(portOf[door]))));
}

async function converse(host: string, port: string): Promise<void> {
  const { connect } = await import('node:net');
  const socket = connect(Number(port), host);
  process.stdin.pipe(socket).pipe(process.stdout);
}

/** Why hknock has dropped datagrams, and how often. */
export async function dropsOf(
  server: Machine,
): Promise<{ readonly source: number; readonly tag: number }> {
  const { knocks } = (await ask(server, 'status')) as {
    knocks: { drops: { source: number; tag: number } };
  };
  return knocks.drops;
}
