import type { Socket } from 'node:net';
import type { SpaSent } from '../client/fwknop.ts';
import type { Knocker, SknockSent } from '../client/knocker.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { ServiceName } from '../units/names.ts';
import { formatServicePort, type ServicePort } from '../units/network.ts';
import type { KnockCliOptions, Wish } from './knock-options.ts';
import { print, printJson, tell, withSpinner } from './terminal.ts';

/** `--mode fwknop`: not a word of being granted, unless a connection has shown it. */
export async function knockAsFwknop(
  host: string,
  service: ServiceName | undefined,
  options: KnockCliOptions,
): Promise<void> {
  const { verify = false, mode, json } = options;
  const { sent, connection } = await sendAsFwknop(host, service, { ...options, verify });
  connection?.destroy();
  const ports = sent.ports.map(formatServicePort);
  const isOpen = connection !== null;
  const outcome = isOpen ? { granted: true } : { sent: true };
  const { server, source } = sent;
  if (json) printJson({ ...outcome, host, ...sent, ports, mode });
  else if (isOpen) print(`${ports.join(', ')} at ${server} is open`);
  else print(`sent to ${server} for ${ports.join(', ')}, from ${source ?? 'any address'}`);
  if (!isOpen) {
    tell('nobody answers a packet of fwknop: only a connection shows whether the door is open');
  }
}

/** `connect` with `--mode fwknop`: the connection that the port opens for. */
export async function connectAsFwknop(
  host: string,
  service: ServiceName | undefined,
  options: KnockCliOptions,
): Promise<Socket> {
  const { connection } = await sendAsFwknop(host, service, { ...options, verify: true });
  if (connection === null) throw new Error('a knock that was verified has its connection');
  return connection;
}

async function sendAsFwknop(
  host: string,
  service: ServiceName | undefined,
  { profile: named, source, verify, timeout, retries }: KnockCliOptions,
): Promise<{ readonly sent: SpaSent; readonly connection: Socket | null }> {
  const { findProfile, hostWithin } = await import('./profile.ts');
  const { connectSpa, sendSpa } = await import('../client/fwknop.ts');
  const profile = await findProfile(host, named);
  const within = hostWithin(profile, host);
  const wish = {
    ...(service && { service }),
    ...(source && { source }),
    ...(within && { host: within }),
  };
  if (verify !== true) return { sent: await sendSpa(profile, wish), connection: null };
  const tries = {
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(retries !== undefined && { retries }),
  };
  const { connection, ...sent } = await withSpinner(`knocking at ${host}`, () =>
    connectSpa(profile, { ...wish, ...tries }),
  );
  return { sent, connection };
}

/** `--mode sknock` */
export async function knockAsSknock(
  host: string,
  wish: Wish | undefined,
  { verify = false, ...options }: KnockCliOptions,
): Promise<void> {
  const { json, mode } = options;
  const sent = await send(host, wish, { ...options, verify }).catch((fault: unknown) => {
    if (json && verify && fault instanceof HknockError)
      printJson({ granted: false, reason: fault.code });
    throw fault;
  });
  sent.connection?.destroy();
  const { server, port, claimed } = sent;
  const isOpen = sent.connection !== null;
  const outcome = isOpen ? { granted: true } : { sent: true };
  if (json) printJson({ ...outcome, host, server, ...port, claimedAddress: claimed, mode });
  else if (isOpen) print(`${formatServicePort(port)} at ${server} is open for ${claimed}`);
  else print(`sent to ${server} for ${formatServicePort(port)}, from ${claimed}`);
  if (!isOpen) tell('nobody answers a knock of sKnock: only a connection shows whether it opened');
}

/** `connect` with `--mode sknock`: the connection that the port opens for. */
export async function connectAsSknock(
  host: string,
  wish: Wish | undefined,
  options: KnockCliOptions,
): Promise<Socket> {
  const { connection } = await send(host, wish, { ...options, verify: true });
  if (connection === null) throw new Error('a TCP port that was verified has its connection');
  return connection;
}

async function send(
  host: string,
  wish: Wish | undefined,
  options: KnockCliOptions,
): Promise<SknockSent> {
  const knocker = await knockerFor(options);
  const { port, protocol } = portOf(knocker, wish);
  if (options.verify && protocol === 'udp') {
    throw new HknockError('usage', `udp/${String(port)} is no port to connect to`, {
      hint: 'knock without --verify, then use the program itself',
    });
  }
  return withSpinner(`knocking at ${host}`, () => knocker.knock(host, port, protocol));
}

async function knockerFor({
  mode,
  cert,
  key,
  serverCert,
  port,
  source,
  timeout,
  retries,
  verify = false,
}: KnockCliOptions): Promise<Knocker> {
  const { certificateFiles } = await import('./profile.ts');
  const { createKnocker } = await import('../client/knocker.ts');
  if (source === 'any') {
    throw new HknockError('usage', 'a knock of sKnock names one address to be let in from');
  }
  return createKnocker({
    ...certificateFiles({ mode, cert, key, serverCert }),
    verify,
    ...(port && { knockPort: port }),
    ...(source && { source }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(retries !== undefined && { retries }),
  });
}

/** The port that is wanted, or the only one that the certificate is for. */
function portOf({ authorised }: Knocker, wish: Wish | undefined): ServicePort {
  if (typeof wish === 'object') return wish;
  const [only, ...others] = authorised;
  if (wish === undefined && only !== undefined && others.length === 0) return only;
  const message =
    wish === undefined
      ? 'the certificate is for several ports, or none'
      : `'${wish}' is no port, and the server's names for them are not known here`;
  const names = authorised.map(formatServicePort).join(', ');
  throw new HknockError('usage', message, {
    hint: names === '' ? 'it is for none' : `name one of: ${names}`,
  });
}
