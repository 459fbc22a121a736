// Run in a namespace: what a host of the laboratory does there. The client's part is played by hknock's own client, which only
// the client loads.
import { subscribe } from 'node:diagnostics_channel';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdentityFiles } from '../client/identity.ts';
import type { KnockResult } from '../client/knock.ts';
import type { Clock } from '../host/clock.ts';
import type { Call } from '../sequence/scheme.ts';
import type { Admission, Breadth } from '../units/admission.ts';
import type { ServiceName } from '../units/names.ts';
import type { IpAddress, Port } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';
import { takeOrders } from './orders.ts';
import { within } from './within.ts';

export interface Door {
  readonly address: string;
  readonly ports: readonly number[];
  /** How long to try. */
  readonly forMs: number;
  /** How long between two tries. */
  readonly everyMs: number;
}

interface Silent extends Wish {
  readonly file: string;
  readonly gate: boolean;
  readonly slots: number;
  /** Of the client's clock; 0 if not said. */
  readonly offsetMs?: number;
}

interface Numbered {
  readonly address: string;
  readonly port: number;
  /** Of the SYN. */
  readonly sequence: number;
}

export interface Knocking extends Wish {
  readonly admission: Admission;
  /** Whether to make the connection too, and how long to wait for it, the knock included. */
  readonly connectWithinMs: number | null;
  /** Asks for so much, which no server of the laboratory allows. */
  readonly breadth?: Breadth;
}

interface Wish {
  /** Where a client may have more than one. */
  readonly service?: ServiceName;
}

/** Whoever gets in reads this first. */
const GREETING = 'Welcome to the service.';

/** How long a host waits for what comes of its last try, in turns: what came in a pause of its own is read in the next. */
const LAST_TURN_MS = 20;
const LAST_TURNS = 5;

/** A SYN with the right number is answered in a hundredth of this. */
const TRY_MS = 900;

/** Between the slots with which a client begins: whoever is kept from the service goes on to the next, and the next. */
const SLOTS_APART = 5;

let firstSlot = 0;
let trying = new AbortController();
const heard: string[] = [];
const connecting = new Set<Socket>();
const lines = new Map<number, { readonly line: Duplex; text: string }>();

const orders = {
  /** Has a service greet, write down what it hears and say it again. */
  serve: (port: number) =>
    new Promise<void>((resolve) => {
      createServer((socket) => {
        socket.on('error', () => undefined).on('data', (text) => heard.push(String(text)));
        socket.write(`${GREETING}\n`);
        socket.pipe(socket);
      }).listen(port, '0.0.0.0', resolve);
    }),

  /** All that the service has heard. */
  heard: () => heard.join(''),

  /** Connects again and again until the service greets, and once more at the end; gives the connection's number, or 0. */
  tryToEnter: async ({ address, ports, forMs, everyMs }: Door) => {
    const signal = beginTrying();
    const end = performance.now() + forMs;
    const tries: Socket[] = [];
    let found = 0;
    const tryOnce = (port: number): void => {
      const socket = connect({ host: address, port });
      tries.push(socket);
      greeted(socket).then(
        (number) => (found ||= number),
        () => undefined,
      );
    };
    while (found === 0 && !signal.aborted && performance.now() < end) {
      ports.forEach(tryOnce);
      await sleep(everyMs);
    }
    // also for one who stood still when the door was open, and was told to stop then
    if (found === 0) ports.forEach(tryOnce);
    for (let turn = 0; found === 0 && turn < LAST_TURNS; turn++) await sleep(LAST_TURN_MS);
    // not before: whichever of them is let in may be the only one that is
    const own = lines.get(found)?.line;
    for (const each of tries) if (each !== own) each.destroy();
    return found;
  },

  /** Connects with the number that somebody's SYN had; the connection's number, or 0. */
  enterWithNumber: async ({ address, port, sequence }: Numbered) => {
    const { connectSequenced } = await import('../system/sequenced-socket.ts');
    const remote = { address: address as IpAddress, port };
    const local = { address: '0.0.0.0' as IpAddress, port: 0 };
    const way = { remote, local, sequence, timeoutMs: TRY_MS };
    const socket = await connectSequenced(way).catch(() => null);
    return socket === null ? 0 : within(greeted(socket), TRY_MS);
  },

  /** Whoever wants to connect shall not go on. */
  stopTrying: () => {
    trying.abort();
  },

  /** Says something on a connection; whether it comes back in time. */
  say: async ({ number, text, forMs }: { number: number; text: string; forMs: number }) => {
    const line = lines.get(number);
    if (line === undefined) return false;
    line.text = '';
    line.line.write(text);
    const end = performance.now() + forMs;
    while (!line.text.includes(text) && performance.now() < end) await sleep(5);
    return line.text.includes(text);
  },

  hangUp,

  /** Knocks by handshake with a profile; the number of the connection, or whether it was granted. */
  byProfile: async ({ file, ...how }: Knocking & { readonly file: string }) => {
    const startedAt = performance.now();
    const { connectWithinMs, ...wish } = how;
    const { knock } = await import('../client/knock.ts');
    const { readProfileFile } = await import('../store/profile-file.ts');
    const result = await knock(await readProfileFile(file), wish);
    return follow(result, { ...how, connectWithinMs, startedAt });
  },

  byCertificate: async (
    options: Knocking & IdentityFiles & { readonly host: string; readonly port?: Port },
  ) => {
    const startedAt = performance.now();
    const { readCertificateAccess } = await import('../client/certificate-access.ts');
    const { knock } = await import('../client/knock.ts');
    const access = await readCertificateAccess({ ...options, hosts: [options.host] });
    const { admission, breadth, service = 'web' as ServiceName } = options;
    const wish = { admission, service, ...(breadth && { breadth }) };
    const result = await knock(access, wish);
    return follow(result, { ...options, startedAt });
  },

  byTotp: async ({ file, offsetMs, ...wish }: Wish & { file: string; offsetMs: number }) => {
    const { sendSequence, sequenceNow } = await import('../client/sequence.ts');
    const { readProfileFile } = await import('../store/profile-file.ts');
    const clock = await clockOff(offsetMs);
    await sendSequence(await sequenceNow(await readProfileFile(file), { ...wish, clock }));
  },

  byScheme: async ({ file, address, call }: { file: string; address: string; call: Call }) => {
    const { sendHits } = await import('../client/scheme-sequence.ts');
    const { readSchemeFile } = await import('../config/scheme-files.ts');
    const scheme = await readSchemeFile(file, { code: 'bad-input' });
    await sendHits(address as IpAddress, scheme.hits(call));
  },

  /** By fwknop's packet, with keys that the profile has, for an address. */
  bySpa: async ({ file, source, ...wish }: Wish & { file: string; source: string }) => {
    const { sendSpa } = await import('../client/fwknop.ts');
    const { readProfileFile } = await import('../store/profile-file.ts');
    await sendSpa(await readProfileFile(file), { ...wish, source: source as IpAddress });
  },

  /** Connects by the number of the SYN alone. */
  silently: async ({ file, offsetMs = 0, ...how }: Silent) => {
    const { connectSilently } = await import('../client/silent.ts');
    const { readProfileFile } = await import('../store/profile-file.ts');
    const options = { ...how, clock: await clockOff(offsetMs), firstSlot };
    firstSlot += SLOTS_APART;
    return greeted(await connectSilently(await readProfileFile(file), options));
  },

  bySknock: async ({
    host,
    port,
    ...options
  }: IdentityFiles & { host: string; port: number; knockPort?: Port }) => {
    const { createKnocker } = await import('../client/knocker.ts');
    const knocker = await createKnocker({ ...options, verify: false });
    await knocker.knock(host, port, 'tcp');
  },
};

export type HostOrders = typeof orders;

subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket };
  connecting.add(socket);
  const done = (): void => void connecting.delete(socket);
  socket.once('connect', done).once('close', done);
});

takeOrders(orders);

/** Until {@link orders.stopTrying}. */
function beginTrying(): AbortSignal {
  trying = new AbortController();
  return trying.signal;
}

/** The system's clock, so far from right. */
async function clockOff(offsetMs: number): Promise<Clock> {
  const { createSystemClock } = await import('../system/clock.ts');
  const system = createSystemClock();
  return { ...system, unixMs: () => (system.unixMs() + offsetMs) as UnixMs };
}

/** @returns 0 when the client is not in; 1 when it wanted to knock only and was granted */
async function follow(
  result: KnockResult,
  { connectWithinMs, startedAt }: Knocking & { readonly startedAt: number },
): Promise<number> {
  if (!result.granted) return 0;
  if (connectWithinMs === null) return 1;
  const leftMs = startedAt + connectWithinMs - performance.now();
  if (leftMs <= 0) return 0;
  const signal = beginTrying();
  const { connectGranted } = await import('../client/connect.ts');
  const line = connectGranted(result).then(greeted);
  const patience = sleep(leftMs, 0, { signal });
  const number = await Promise.race([line, patience]).catch(() => 0);
  if (number === 0) giveUp();
  return number;
}

// a SYN that is still on its way, sent again later, would use up the next grant
function giveUp(): void {
  for (const socket of connecting) socket.destroy();
}

/** Waits for the greeting, and keeps the connection under a number. */
function greeted(line: Duplex): Promise<number> {
  const kept = { line, text: '' };
  return new Promise((resolve, reject) => {
    line
      .on('error', () => undefined)
      .once('close', () => {
        reject(new Error('closed'));
      });
    line.on('data', (text) => {
      kept.text += String(text);
      if (!kept.text.startsWith(GREETING)) return;
      const number = lines.size + 2;
      lines.set(number, kept);
      resolve(number);
    });
  });
}

function hangUp(number: number): void {
  lines.get(number)?.line.destroy();
}
