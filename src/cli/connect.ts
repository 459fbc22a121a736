import { type Command, Option } from 'commander';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Held } from '../client/hold.ts';
import type { KnockGranted } from '../client/knock.ts';
import { parseEndpoint } from '../config/endpoint.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { isForOneConnection } from '../units/admission.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { argument } from './options.ts';
import { knockAt, refusal, tellGrant } from './knock.ts';
import {
  type KnockCliOptions,
  parseWish,
  requireService,
  type Wish,
  withKnockOptions,
} from './knock-options.ts';
import { runOnceOpen } from './run-once-open.ts';
import { SIGNALLED } from './run-command.ts';
import { tell } from './terminal.ts';

interface ConnectOptions extends KnockCliOptions {
  readonly listen?: Endpoint;
}

/** What is to be opened, and what to run then; empty to join the connection to our own input and output. */
interface Wanted {
  readonly wish: Wish | undefined;
  readonly command: readonly string[];
}

/** `hknock connect` */
export function addConnect(program: Command): void {
  withKnockOptions(program.command('connect'))
    .description(
      'Knocks, connects, and joins standard input and output to the connection; or, with a command behind --, runs that, and tells it in HKNOCK_HOST and HKNOCK_PORT where to connect.',
    )
    .argument('[service]', 'what to have opened')
    .argument('[command...]', 'a program to run once the door is open, behind --')
    .addOption(
      new Option(
        '--listen <address:port>',
        'a UDP port of this machine that leads through the gate to the UDP service, for as long as the command or connect itself runs',
      ).argParser(argument(parseEndpoint)),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  ssh -o ProxyCommand="hknock connect %h ssh" gate.example.org\n  hknock connect gate.example.org web -- curl http://gate.example.org/\n  hknock connect gate.example.org web --admission gate -- sh -c \'curl http://$HKNOCK_HOST:$HKNOCK_PORT/\'\n  hknock connect gate.example.org dns --listen 127.0.0.1:5353 -- dig @127.0.0.1 -p 5353 example.org',
    )
    .action(connect);
}

async function connect(
  ...[host, first, others, options]: [
    host: string,
    first: string | undefined,
    others: readonly string[],
    options: ConnectOptions,
  ]
): Promise<void> {
  const { wish, command } = split(first === undefined ? [] : [first, ...others]);
  if (options.mode === 'sknock' || options.mode === 'fwknop' || options.mode === 'silent')
    await joinUntold(host, { wish, command }, options);
  else await connectByGrant(host, { wish, command }, options);
}

async function connectByGrant(
  host: string,
  { wish, command }: Wanted,
  options: ConnectOptions,
): Promise<void> {
  const { listen } = options;
  const service = requireService(wish);
  const result = await knockAt(host, service, listen === undefined ? options : atGate(options));
  if (!result.granted) throw refusal(result);
  // whoever says what he would rather have wants to know what he got
  const isChoice = options.admission !== undefined && options.admission.length > 1;
  if (isChoice && command.length === 0) tellGrant(result);
  const { holdGrant } = await import('../client/hold.ts');
  const held = holdGrant(result, { onLost: tellLost });
  try {
    if (command.length > 0) await runOnceOpen(command, result, listen);
    else await (listen === undefined ? join(result, held) : relay(listen, result, held));
  } finally {
    await held.release();
  }
}

/** With the modes in which nobody says what became of a knock. */
async function joinUntold(
  host: string,
  { wish, command }: Wanted,
  options: ConnectOptions,
): Promise<void> {
  if (options.listen !== undefined || command.length > 0) throw onlyJoins();
  const { joinStdio } = await import('../client/join-stdio.ts');
  await joinStdio(await connectUntold(host, wish, options), process);
}

async function connectUntold(
  host: string,
  wish: Wish | undefined,
  options: ConnectOptions,
): Promise<Duplex> {
  if (options.mode === 'silent') {
    const { connectWithoutKnock } = await import('./silent.ts');
    return connectWithoutKnock(host, requireService(wish), options);
  }
  const { connectAsFwknop, connectAsSknock } = await import('./one-packet.ts');
  return options.mode === 'sknock'
    ? connectAsSknock(host, wish, options)
    : connectAsFwknop(host, requireService(wish), options);
}

// the connection that shows that a port is open may be the only one
function onlyJoins(): HknockError {
  return new HknockError('usage', 'in this mode nobody says when a port is open for a program', {
    hint: "leave the program out, as ssh's ProxyCommand does, or use a mode that is answered",
  });
}

async function join(result: KnockGranted, held: Held): Promise<void> {
  releaseWhenEnded(held);
  const { connectGranted } = await import('../client/connect.ts');
  const { joinStdio } = await import('../client/join-stdio.ts');
  const socket = await connectGranted(result);
  // beside the connection: it has used up what there was to use
  if (isForOneConnection(result.admission)) void held.release();
  await joinStdio(socket, process);
}

/** Has a local UDP port lead through the gate until one side or a signal ends it. */
async function relay(listen: Endpoint, result: KnockGranted, held: Held): Promise<void> {
  const { openDatagramPort } = await import('../client/datagram-port.ts');
  const port = await openDatagramPort(result, listen);
  releaseWhenEnded(held);
  tell(`udp ${formatEndpoint(listen)} leads to ${result.service} at ${result.server}`);
  await port.closed;
}

// the datagrams of a local port have no other way than the gate
function atGate(options: ConnectOptions): ConnectOptions {
  const { admission = ['gate'] } = options;
  if (admission.every((each) => each === 'gate')) return { ...options, admission };
  throw new HknockError('usage', `--listen needs admission 'gate', and no other`, {
    hint: "leave --admission out; where the server has no gate, run the program behind '--'",
  });
}

/** ssh ends its ProxyCommand by SIGHUP. */
function releaseWhenEnded(held: Held): void {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void held.release().then(() => process.exit(SIGNALLED + constants.signals[signal]));
    });
  }
}

function tellLost({ message }: HknockError): void {
  tell(`the grant is not renewed: ${message}`);
}

// commander leaves out the `--` and does not say where it stood, so `-- ssh` would be taken for the service
function split(words: readonly string[]): Wanted {
  const { argv } = process;
  const behind = argv.includes('--') ? argv.length - argv.indexOf('--') - 1 : 0;
  const [service, ...stray] = words.slice(0, words.length - behind);
  if (stray.length > 0) {
    throw new HknockError('usage', `what is '${stray.join(' ')}'?`, {
      hint: 'a program to run comes behind --',
    });
  }
  return {
    wish: service === undefined ? undefined : parseWish(service),
    command: words.slice(words.length - behind),
  };
}
