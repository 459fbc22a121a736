// T-18: somebody off the path, who sends from any address and sees nothing that is not for his own (spoofer.ts draws the network). He is
// told more than he could know: the client's public address, its ports and its tag.
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as library from '../../src/index.ts';
import { admissions } from '../../src/units/admission.ts';
import { netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import {
  ask,
  deploy,
  type Deployment,
  enrol,
  knock,
  type Knocked,
  servicePort,
} from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import { gatePort } from '../support/gate.ts';
import { inline } from '../support/inline.ts';
import type { Machine, Place } from '../support/machine.ts';
import { cleanUp, interfaceTo, until } from '../support/netns.ts';
import { Printer } from '../support/printer.ts';
import { grantsInKernel } from '../support/ruleset.ts';
import { visit } from '../support/service.ts';
import { talkTo } from '../support/talk.ts';
import { addresses } from '../support/topology.ts';
import { addSpoofer, type Order, type Spoofer, spoofersAddress } from './spoofer.ts';

const netTest = netTestWith('python3').serial;

const knockPort = 62202;
const udpPort = 5300;
const firstPort = 10_000;

/** Lengths of datagrams (wire.md, section 4). */
const lengths = { request: 100, challenge: 100, response: 222, grant: 126, lease: 72, answer: 48 };
const UDP_HEADER = 8;

const FIN_ACK = 17;
const SYN = 2;
const RST = 4;
const PSH_ACK = 24;

/** How often each datagram is sent, but for its random bytes. */
const TIMES = 100;

/** An address that is nobody's: one for which the spoofer might want something opened. */
const chosenAddress = '198.51.100.77';

const toServer = { to: addresses.server, ports: [knockPort] };
const asClient = { from: addresses.public, to: addresses.server };

const deployedForAll = forFile(async (owner) => {
  const deployment = await deploy(owner, {
    ttl: '10m',
    services: 'web,ledger',
    configure: (text) =>
      `${text}\n[services.ledger]\nports = ["udp/${String(udpPort)}"]\nttl = "10m"\n`
        .replace('listen = []', `listen = ["0.0.0.0:${String(gatePort)}"]`)
        .replace('\nadmission = "once"', '\nadmission = "address"'),
  });
  return { ...deployment, spoofer: await addSpoofer(owner, deployment) };
});

/** The same without a grant. */
async function deployed(): Promise<Deployment & { readonly spoofer: Spoofer }> {
  const deployment = await deployedForAll();
  await closeAll(deployment);
  return deployment;
}

async function closeAll({ server }: Deployment): Promise<void> {
  await server.hknock(['close', '--peer', 'alice']);
}

interface Knocks {
  readonly answered: number;
  readonly granted: number;
  readonly leases: number;
  readonly drops: Readonly<Record<'mac' | 'lease' | 'source', number>>;
}

async function knocksOn({ server }: Deployment): Promise<Knocks> {
  return ((await ask(server, 'status')) as { knocks: Knocks }).knocks;
}

/** So many of each kind of forged answer, and of how many it is asked that they come: a busy kernel's queue may lose some. */
const ANSWERS = 1000;
const ENOUGH = 900;

netTest('T-18: forged Challenges, Grants and Answers interrupt no handshake', async (t) => {
  const deployment = await deployed();
  const { place } = deployment.client;
  const count = `udp sport ${String(knockPort)} counter`;
  await place.exec(['nft', '-f', '-'], { input: counting('seen', count) });
  for (const length of [lengths.request, lengths.response]) {
    let knocked = await knockUnderFire(deployment, length);
    // again where a busy machine kept the client from its answer
    for (let i = 0; i < 4 && !knocked.granted; i++) {
      knocked = await knockUnderFire(deployment, length);
    }
    t.like(knocked, { granted: true, observedAddress: addresses.public });
  }
});

/** A knock whose messages of this length are lost, until what is forged has reached the client. */
async function knockUnderFire(
  { client, topology: { nat, server }, spoofer }: Deployment & { readonly spoofer: Spoofer },
  length: number,
): Promise<Knocked> {
  const arrival = `udp dport ${String(knockPort)} udp length ${String(length + UDP_HEADER)} counter drop`;
  await server.exec(['nft', '-f', '-'], { input: counting('hold', arrival) });
  await nat.exec(['conntrack', '-D', '-p', 'udp'], { allowFailure: true }); // earlier knocks
  const knocking = knock(client, 'web');
  await until(async () => (await counted(server, 'hold')) > 0, 'the client to wait for an answer');
  const ports = await portsOf(nat);
  const answers = { from: addresses.server, fromPort: knockPort, to: addresses.public, ports };
  for (const each of [lengths.challenge, lengths.grant, lengths.answer]) {
    const wanted = (await counted(client.place, 'seen')) + ENOUGH * ports.length;
    await spoofer.sendUntil(
      { ...answers, udp: ['', each], times: ANSWERS },
      async () => (await counted(client.place, 'seen')) >= wanted,
      'them to reach the client',
    );
  }
  await server.exec(['nft', 'delete', 'table', 'ip', 'hold']);
  return knocking;
}

function counting(table: string, rule: string): string {
  const chain = `type filter hook prerouting priority raw\n${rule}`;
  return `table ip ${table} {\n chain in {\n ${chain}\n }\n }\n`;
}

async function counted(place: Place, table: string): Promise<number> {
  const { stdout } = await place.exec(['nft', 'list', 'table', 'ip', table]);
  return Number(/counter packets (\d+)/.exec(stdout)?.[1]);
}

/** The public ports that the NAT has given the client's knocks. */
async function portsOf(nat: Place): Promise<readonly number[]> {
  const { stdout } = await nat.exec(['conntrack', '-L', '-p', 'udp']);
  const flows = stdout.split('\n').filter((line) => line.includes(` dport=${String(knockPort)} `));
  return flows.map((line) => Number(/.* dport=(\d+)/.exec(line)?.[1]));
}

/** A client that knocks and connects when it is told to; and what happens between the two. */
interface Spoil {
  readonly admission: string;
  readonly attack: (secretPort: number) => readonly Order[];
  readonly then: 'in' | 'out';
}

const syn = { ...asClient, tcp: SYN };
const flood = { ...syn, times: 200 };

function guesses(count: number, secretPort: number): readonly Order[] {
  const ports = Array.from({ length: count + 1 }, (_, i) => firstPort + i);
  return [{ ...syn, ports: ports.filter((each) => each !== secretPort).slice(0, count) }];
}

/** What a spoofer who knows the client's address can spoil, and what he cannot (rationale.md, "What is not defended"). */
const spoils: readonly Spoil[] = [
  { admission: 'address', attack: () => [{ ...flood, ports: [servicePort] }], then: 'in' },
  { admission: 'gate', attack: () => [{ ...flood, ports: [servicePort, gatePort] }], then: 'in' },
  // under the limit of numbers looked at in a second
  { admission: 'bound', attack: () => [{ ...syn, ports: [servicePort], times: 50 }], then: 'in' },
  { admission: 'once', attack: () => [], then: 'in' },
  { admission: 'once', attack: () => [{ ...syn, ports: [servicePort] }], then: 'out' },
  // the right one is the sixteenth
  { admission: 'port', attack: (port) => guesses(15, port), then: 'in' },
  { admission: 'port', attack: (port) => guesses(17, port), then: 'out' },
];

netTest('T-18: forged connections from the client’s address get nobody in', async (t) => {
  const deployment = await deployed();
  const { server, client, spoofer, daemon } = deployment;
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const program = client.start(inline(knockThenConnect, index), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanUp(t, () => void program.kill()); // with what still tries to connect
  const say = talkTo(program);
  for (const { admission, attack, then } of spoils) {
    const secretPort = Number(await say(`knock ${admission}`));
    const before = await grantsInKernel(server.place);
    const isSpoiled = async (): Promise<boolean> =>
      then === 'in' || (await grantsInKernel(server.place)) < before;
    for (const order of attack(secretPort)) {
      await spoofer.sendUntil(order, isSpoiled, `the grant for ${admission} to be gone`);
    }
    t.is(
      await say(`connect ${then === 'in' ? '20000' : '700'}`),
      then,
      `${admission} ${String(attack)}`,
    );
    await closeAll(deployment);
  }
  const timesSeen = (): number => daemon.log.split('somebody guesses at ports').length - 1;
  await until(() => timesSeen() > 0, 'the guesses to be seen');
  t.is(timesSeen(), 1);
  // whether or not the grant has been closed by its holder meanwhile: the next one is as good as ever
  for (const order of guesses(17, Number(await say('knock port')))) await spoofer.send(order);
  t.is(await say('connect 0'), 'out');
  await until(() => timesSeen() === 2, 'the guesses to be seen');
  await say('knock port');
  t.is(await say('connect 20000'), 'in');
  t.is(await spoofer.heard(), 0, 'and of no connection does he hear anything');

  const argv = inline(hearAll, String(udpPort));
  const service = await Printer.begin(server.start(argv, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const utter = (words: string): Promise<void> => {
    const udp = [Buffer.from(words).toString('hex'), words.length] as const;
    return spoofer.send({ ...asClient, ports: [udpPort], udp });
  };
  await utter('without a grant');
  t.true((await knock(client, 'ledger', '--admission', 'gate')).granted);
  await utter('with one for the gate');
  t.true((await knock(client, 'ledger', '--admission', 'once')).granted);
  await utter('with one for once');
  await service.prints('heard with one for once');
  t.deepEqual(service.text.split('\n').filter(Boolean), ['ready', 'heard with one for once']);
});

/** `knock ADMISSION` gives the secret port or 0, `connect MS` says whether the service greets in so many milliseconds, and closes the grant. */
async function knockThenConnect(path: string): Promise<void> {
  const { knock: ask, connectGranted, ProfileStore } = (await import(path)) as typeof library;
  const { createInterface } = await import('node:readline');
  const events = await import('node:events');
  const { setTimeout: sleep } = await import('node:timers/promises');
  const [profile] = await new ProfileStore().list();
  const service = [...(profile?.services.keys() ?? [])].find((each) => String(each) === 'web');
  if (profile === undefined || service === undefined) throw new Error('no profile');
  let grant: Awaited<ReturnType<typeof ask>> | null = null;
  for await (const order of createInterface(process.stdin)) {
    const [verb, word] = order.split(' ');
    if (verb === 'knock') {
      grant = await ask(profile, { service, admission: word as library.Admission });
      console.log(grant.granted ? (grant.admissionPort ?? 0) : grant.reason);
    } else if (grant?.granted === true) {
      const greeted = connectGranted(grant)
        .then((socket) => events.default.once(socket, 'data').then(() => socket.destroy()))
        .then(
          () => 'in',
          () => 'out',
        );
      console.log(await Promise.race([greeted, sleep(Number(word), 'out')]));
      await grant.lease?.close().catch(() => undefined); // a busy machine may not say in time that it has
    }
  }
}

/** A UDP service that writes down what it hears. */
async function hearAll(port: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  createSocket('udp4', (bytes) => {
    console.log(`heard ${String(bytes)}`);
  }).bind(Number(port), () => {
    console.log('ready');
  });
}

netTest('T-18: forged segments that are guessed end no connection', async (t) => {
  const { client, topology, spoofer } = await deployed();
  const program = fileURLToPath(new URL('forger.py', import.meta.url));
  const argv = ['python3', '-B', program, interfaceTo(topology.server), String(servicePort)];
  const forger = await Printer.begin(
    topology.nat.spawn(argv, { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const earlier = await clientPortsOf(topology.server);
  const conversation = await Conversation.begin(client, 'web', '--admission', 'address');
  await conversation.say('hello');
  const now = await clientPortsOf(topology.server);
  const fromPort = now.find((each) => !earlier.includes(each)) ?? 0;
  t.not(fromPort, 0);
  for (const tcp of [RST, SYN, FIN_ACK, PSH_ACK]) {
    await spoofer.send({ ...asClient, fromPort, ports: [servicePort], tcp, times: 500 });
    t.true(await conversation.isAlive(20_000), `after segments with flags ${String(tcp)}`);
  }
  // a lucky guess: within what the server would take now
  forger.child.stdin?.write('reset 1000\n');
  await forger.prints('reset 1000');
  t.true(await conversation.isAlive(20_000), 'RFC 5961, section 3: not the very number');
  // all that was said has been answered; the forger knows the number once he has read what there was until then
  let tries = 0;
  await until(async () => {
    tries++;
    forger.child.stdin?.write('reset 0\n');
    await until(() => forger.text.split('reset 0').length > tries, 'the reset to be sent');
    return !(await conversation.isAlive(5000)) && conversation.hasEnded;
  }, 'control: the very number');
});

/** The public ports from which connections to the service have come that are still there. */
async function clientPortsOf(server: Place): Promise<readonly number[]> {
  const { stdout } = await server.exec(['ss', '-Htn', `sport = :${String(servicePort)}`]);
  return Array.from(stdout.matchAll(/198\.51\.100\.1\]?:(\d+)/g), ([, port]) => Number(port));
}

netTest('T-18: forged knocks and leases get nobody in, and end or renew nothing', async (t) => {
  const deployment = await deployed();
  const { server, client, spoofer } = deployment;
  const granted = await Promise.all(
    admissions.map((each) => knock(client, 'web', '--admission', each)),
  );
  t.deepEqual(
    granted.map(({ admission }) => admission),
    [...admissions],
  );
  const before = await ask(server, 'grants');

  const [, tag = ''] =
    /^tag = "([0-9a-f]{16})"$/m.exec(readFileSync(server.path('alice.toml'), 'utf8')) ?? [];
  const { request, response, lease } = lengths;
  const froms = [spoofersAddress, addresses.public, chosenAddress];
  for (const from of froms) {
    for (const [length, reason] of [
      [request, 'mac'],
      [response, 'mac'],
      [lease, 'lease'],
    ] as const) {
      // one kind after the other: together they may be more than the server's socket has room for
      const wanted = (await knocksOn(deployment)).drops[reason] + TIMES;
      await spoofer.sendUntil(
        { ...toServer, from, udp: [tag, length], times: TIMES },
        async () => (await knocksOn(deployment)).drops[reason] >= wanted,
        'all that was sent to be judged',
      );
    }
  }
  t.deepEqual(await ask(server, 'grants'), before, 'none more, none less, none longer');
  for (const port of [servicePort, gatePort]) {
    t.is(await visit(spoofer.machine, { address: addresses.server, port }), 'no answer');
  }
  const closedPort = { to: addresses.server, ports: [1], tcp: SYN };
  await spoofer.send({ ...closedPort, from: addresses.public });
  t.is(await spoofer.heard(), 0, 'he hears nothing');
  await spoofer.send({ ...closedPort, from: spoofersAddress });
  await until(async () => (await spoofer.heard()) > 0, 'control: what is for his own address');
  const { leases } = await knocksOn(deployment);
  t.is((await Conversation.begin(client, 'web', '--admission', 'port')).hasEnded, false);
  await until(async () => (await knocksOn(deployment)).leases > leases, 'control: a true Lease');
  const live = async () => (await ask(server, 'grants')) as readonly unknown[];
  await until(async () => (await live()).length === granted.length, 'it to close what it is for');
  t.deepEqual(await ask(server, 'grants'), before, 'and nothing else');
  await server.hknock(['peer', 'revoke', 'alice']);

  await enrol(server, spoofer.machine, { peer: 'mallory', services: 'web' });
  t.like(await knock(spoofer.machine), { granted: true, observedAddress: spoofersAddress });
  const { granted: bought } = await knocksOn(deployment);
  await pretend(spoofer.machine, response);
  await inVain(
    spoofer.machine,
    async () => (await knocksOn(deployment)).drops.source > 0,
    'his proof to be judged',
  );
  await pretend(spoofer.machine, request);
  const { answered } = await knocksOn(deployment);
  await inVain(
    spoofer.machine,
    async () => (await knocksOn(deployment)).answered > answered,
    'his Request to be answered',
  );
  t.is((await knocksOn(deployment)).granted, bought, 'a peer neither, for another');
});

/** Knocks, again when nobody has answered for long, until the server has seen enough of it. */
async function inVain(
  machine: Machine,
  isEnough: () => Promise<boolean>,
  what: string,
): Promise<void> {
  const start = (): ChildProcess => machine.start(machine.argv('knock', 'gate'));
  let knocking = start();
  await until(async () => {
    if (knocking.exitCode !== null) knocking = start();
    return isEnough();
  }, what);
  knocking.kill();
}

/** From now on a machine's datagrams of this length have the client's public address for their source, and no others have. */
async function pretend({ place }: Machine, length: number): Promise<void> {
  const input = `
    add table ip pretend
    delete table ip pretend
    table ip pretend {
      chain output {
        type filter hook output priority raw;
        udp length ${String(length + UDP_HEADER)} ip saddr set ${addresses.public}
      }
    }`;
  await place.exec(['nft', '-f', '-'], { input });
}
