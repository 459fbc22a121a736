import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { command, output, scene, shows } from './narrator.ts';
import type { Stage } from './stage.ts';

/** What of `hknock knock --json` the demo looks at. */
interface Knocked {
  readonly granted: boolean;
  readonly observedAddress: string;
  readonly claimedAddress: string;
  readonly behindNat: boolean;
  readonly admission: string;
  readonly expiresAt: string;
}

const welcome = '"Welcome to the service."';
const grantLifeS = 3;

export async function setUpServer(stage: Stage): Promise<void> {
  const { server, listen, servicePort, upstreamPort } = stage;
  scene('The server gets a service and puts hknock in front of it');
  await startService(stage);
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
  await run(
    server,
    'server',
    `peer add alice --service web --host ${listen.address} --out ${profile}`,
  );
  await run(client, 'client', `import ${profile} --name demo`);
}

export async function scan(stage: Stage): Promise<void> {
  scene('Whoever has not knocked sees a closed port');
  shows('the client gets nothing', (await visit(stage, 'client')) !== welcome);
  shows('the neighbour gets nothing', (await visit(stage, 'neighbour')) !== welcome);
}

export async function knockAndVisit(stage: Stage): Promise<void> {
  scene(`A knock goes through ${stage.firewall === 'nftables' ? 'the NAT' : 'the loopback'}`);
  const knocked = await knock(stage);
  shows(`the server saw ${stage.observed}`, knocked.observedAddress === stage.observed);
  shows(`the client had claimed ${stage.claimed}`, knocked.claimedAddress === stage.claimed);
  const isTranslated = stage.observed !== stage.claimed;
  shows(`behind NAT: ${isTranslated ? 'yes' : 'no'}`, knocked.behindNat === isTranslated);
  shows("the grant lets in one connection ('once')", knocked.admission === 'once');
  shows('the client reaches the service', (await visit(stage, 'client')) === welcome);
  shows('the neighbour does not', (await visit(stage, 'neighbour')) !== welcome);
}

export async function connect(stage: Stage): Promise<void> {
  scene('Knock and connection in one command, as ssh uses it (ProxyCommand)');
  command('client', 'hknock connect demo web');
  const line = stage.client.start(stage.client.argv('connect', 'demo', 'web'));
  let said = '';
  line.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => said.includes('Welcome'), 'the service to answer through hknock connect');
  output(said);
  shows('the client talks to the service', true);
  shows('the neighbour does not, meanwhile', (await visit(stage, 'neighbour')) !== welcome);
  line.stdin?.end();
  await until(() => line.exitCode !== null, 'hknock connect to end');
  shows('hanging up ends it with exit code 0', line.exitCode === 0);
}

export async function letExpire(stage: Stage): Promise<void> {
  scene('A grant that nobody uses ends by itself');
  const { expiresAt } = await knock(stage);
  const leftMs = Date.parse(expiresAt) - Date.now();
  shows(`it ends in ${String(grantLifeS)} s at most`, leftMs > 0 && leftMs <= grantLifeS * 1000);
  await sleep(leftMs + 200);
  shows('after that the client gets nothing', (await visit(stage, 'client')) !== welcome);
  command('server', 'hknock grants --json');
  const { stdout } = await stage.server.hknock(['grants', '--json']);
  output(stdout);
  shows('and the server holds no grant', !stdout.includes('alice'));
}

async function startService({ server, servicePort, upstreamPort }: Stage): Promise<void> {
  const listen =
    upstreamPort === null ? [String(servicePort)] : [String(upstreamPort), '127.0.0.1'];
  const service = server.start(script('service.ts', ...listen), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of service.stdout ?? []) if (String(line).includes('ready')) break;
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

async function knock({ client }: Stage): Promise<Knocked> {
  const said = await run(client, 'client', 'knock demo web --json');
  return JSON.parse(said) as Knocked;
}

/** Runs `hknock LINE` and shows it and what it said. */
async function run(machine: Machine, who: string, line: string): Promise<string> {
  command(who, `hknock ${line}`);
  const { stdout } = await machine.hknock(line.split(' '));
  if (stdout !== '') output(stdout);
  return stdout;
}

/** What somebody sees who just connects. */
async function visit(stage: Stage, who: 'client' | 'neighbour'): Promise<string> {
  const { listen, servicePort, sources } = stage;
  const target = [listen.address, String(servicePort), ...(sources === null ? [] : [sources[who]])];
  command(who, `connect to ${target.slice(0, 2).join(' port ')}`);
  const { stdout } = await stage[who].place.exec(script('visit.ts', ...target));
  output(stdout);
  return stdout.trim();
}

function script(name: string, ...args: readonly string[]): readonly string[] {
  const path = fileURLToPath(new URL(name, import.meta.url));
  return [process.execPath, '--import', 'ts-blank-space/register', path, ...args];
}
