import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knocked } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { startService, visit, welcome } from '../support/service.ts';
import { command, output, scene, shows } from './narrator.ts';
import type { Stage } from './stage.ts';

const grantLifeS = 3;

export async function setUpServer(stage: Stage): Promise<void> {
  const { server, listen, servicePort, upstreamPort } = stage;
  scene('The server has a service, and puts hknock in front of it');
  await startService(
    server,
    upstreamPort ?? servicePort,
    upstreamPort === null ? '::' : '127.0.0.1',
  );
  await run(server, 'server', `init --listen ${listen.address}:${String(listen.port)}`);
  const port = `tcp/${String(servicePort)}`;
  await run(server, 'server', `service add web ${port} --ttl ${String(grantLifeS)}s`);
  if (upstreamPort !== null) nameUpstream(server, upstreamPort);
  command('server', `hknock serve --firewall ${stage.firewall}`);
  await server.serve('--firewall', stage.firewall);
}

export async function enrol({ server, client, listen }: Stage): Promise<void> {
  scene('A client is enrolled: one file, handed over once');
  const profile = server.path('alice.toml');
  const options = `--service web --host ${listen.address} --out ${profile}`;
  await run(server, 'server', `peer add alice ${options}`);
  await run(client, 'client', `import ${profile} --name demo`);
}

export async function scan(stage: Stage): Promise<void> {
  scene('Whoever has not knocked sees no open port');
  if (stage.scan !== null) await nmap(stage.neighbour, stage.scan);
  const [client, neighbour] = await Promise.all([see(stage, 'client'), see(stage, 'neighbour')]);
  tellVisit(stage, 'client', client);
  shows('the client does not get to the service', client !== welcome);
  tellVisit(stage, 'neighbour', neighbour);
  shows('nor does the neighbour', neighbour !== welcome);
}

export async function knockAndVisit(stage: Stage): Promise<void> {
  const isTranslated = stage.observed !== stage.claimed;
  scene(`The client knocks${isTranslated ? ', through the NAT' : ''}`);
  const knocked = await knock(stage);
  shows(
    `the server saw it come from ${stage.observed}`,
    knocked.observedAddress === stage.observed,
  );
  shows(`the client had claimed to be ${stage.claimed}`, knocked.claimedAddress === stage.claimed);
  const isTold = isTranslated ? 'it is behind NAT' : 'there is no NAT between them';
  shows(`so both know that ${isTold}`, knocked.behindNat === isTranslated);
  shows("the grant lets in one connection ('once')", knocked.admission === 'once');
  const seen = await see(stage, 'client');
  tellVisit(stage, 'client', seen);
  shows('the client reaches the service', seen === welcome);
  const seenBeside = await see(stage, 'neighbour');
  tellVisit(stage, 'neighbour', seenBeside);
  const hasOneAddress = isTranslated ? ', with the same public address,' : '';
  shows(`the neighbour${hasOneAddress} does not`, seenBeside !== welcome);
}

export async function connect(stage: Stage): Promise<void> {
  scene('Knock and connection in one command, as ssh uses it (ProxyCommand)');
  command('client', 'hknock connect demo web');
  const line = stage.client.start(stage.client.argv('connect', 'demo', 'web'));
  let said = '';
  line.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => said.includes(welcome), 'the service to answer through hknock connect');
  line.stdin?.write('Is anybody there?\n');
  await until(() => said.includes('there?\n'), 'the service to say it again');
  output(said);
  const seen = await see(stage, 'neighbour');
  tellVisit(stage, 'neighbour', seen);
  shows('the client talks to the service, the neighbour does not', seen !== welcome);
  line.stdin?.end();
  await until(() => line.exitCode !== null, 'hknock connect to end');
  shows('hanging up ends it with exit code 0', line.exitCode === 0);
}

export async function letExpire(stage: Stage): Promise<void> {
  scene('A grant that nobody uses ends by itself');
  const said = await run(stage.client, 'client', 'knock demo web');
  const leftMs = Date.parse(/until (\S+)/.exec(said)?.[1] ?? '') - Date.now();
  shows(`it ends in ${String(grantLifeS)} s`, leftMs > 0 && leftMs <= grantLifeS * 1000);
  const hasEnded = async (): Promise<boolean> =>
    (await stage.server.hknock(['grants', '--json'])).stdout.trim() === '[]';
  await sleep(leftMs);
  // the client counts from its own message, the server from when it heard that
  await until(hasEnded, 'the grant to end');
  await sleep(200);
  const seen = await see(stage, 'client');
  tellVisit(stage, 'client', seen);
  shows('after that the client does not get in', seen !== welcome);
  const grants = await run(stage.server, 'server', 'grants --json');
  shows('and the server holds no grant', grants.trim() === '[]');
}

/** The forwarder needs to know where the service is, and the demo's listens on nothing but loopback. */
function nameUpstream(server: Machine, port: number): void {
  const path = server.path('server/hknock.toml');
  const text = readFileSync(path, 'utf8').replace(
    'listen = ["0.0.0.0", "::"]',
    'listen = ["127.0.0.1"]',
  );
  writeFileSync(path, `${text}upstream = ["127.0.0.1:${String(port)}"]\n`);
}

async function nmap(neighbour: Machine, argv: readonly string[]): Promise<void> {
  command('neighbour', argv.join(' '));
  const { stdout } = await neighbour.place.exec(argv);
  const ports = stdout.split('\n').filter((line) => /ports|\d\/(tcp|udp)|PORT/.test(line));
  output(ports.join('\n'));
  shows('a scan finds nothing open', !stdout.includes(' open '));
}

async function knock({ client }: Stage): Promise<Knocked> {
  command('client', 'hknock knock demo web --json');
  const { stdout } = await client.hknock(['knock', 'demo', 'web', '--json']);
  const knocked = JSON.parse(stdout) as Knocked;
  for (const [key, value] of Object.entries(knocked)) output(`${key}: ${JSON.stringify(value)}`);
  return knocked;
}

/** Runs `hknock LINE` and shows it and what it said. */
async function run(machine: Machine, who: string, line: string): Promise<string> {
  command(who, `hknock ${line}`);
  const { stdout } = await machine.hknock(line.split(' '));
  if (stdout !== '') output(stdout);
  return stdout;
}

/** What somebody sees who just connects. */
function see(stage: Stage, who: 'client' | 'neighbour'): Promise<string> {
  const { listen, servicePort, sources } = stage;
  const target = { address: listen.address, port: servicePort };
  return visit(stage[who], sources === null ? target : { ...target, from: sources[who] });
}

function tellVisit({ listen, servicePort }: Stage, who: string, seen: string): void {
  command(who, `connect to ${listen.address} port ${String(servicePort)}`);
  output(seen === welcome ? `"${seen}"` : seen);
}
