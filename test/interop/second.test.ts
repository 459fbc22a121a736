import { spawn } from 'node:child_process';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { parseAddress } from '../../src/bytes/address.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import type { Credential } from '../../src/handshake/credential.ts';
import {
  type Conclusion,
  type InitiatorContext,
  type InitiatorEvent,
  type InitiatorStep,
  nextTimerAt,
  start,
  step,
} from '../../src/handshake/initiator.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import type { Admission } from '../../src/units/admission.ts';
import type { Knock, Outcome } from '../../src/units/knock.ts';
import { type GrantId, parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { type Endpoint, parseServicePort, type Port } from '../../src/units/network.ts';
import type { DurationMs } from '../../src/units/time.ts';
import { execute } from '../support/netns.ts';
import { isInstalled } from '../support/programs.ts';
import { Second, secondArgv } from './second/program.ts';

// The other side of every handshake here was written from protocol-spec/ alone, in another language and with its own
// cryptography: a misreading that our initiator and responder share shows here and nowhere else.

const vectorsPath = fileURLToPath(new URL('../../fixtures/vectors', import.meta.url));
const clock = createSystemClock();
const entropy = createSystemEntropy();
const deadlineMs = 30_000;

const hosts = [
  { host: '127.0.0.1', type: 'udp4' },
  { host: '::1', type: 'udp6' },
] as const;
type Host = (typeof hosts)[number];

const plenty = { perSecond: 1000, burst: 1000 };

const granted: Outcome = {
  kind: 'granted',
  grant: '0123456789abcdef' as GrantId,
  admission: 'port',
  admissionPort: 8443 as Port,
  lifetimeMs: 12_345 as DurationMs,
  ports: [parseServicePort('tcp/22'), parseServicePort('udp/65535')],
};
const refused: Outcome = {
  kind: 'refused',
  reason: 'admission-refused',
  acceptable: ['once', 'gate'],
};

interopTest('the second implementation passes every vector for secrets', '127.0.0.1', async (t) => {
  await passVectors(t, 'secret');
});

interopTest(
  'the second implementation passes every vector for the gate, silent mode and sequences',
  '127.0.0.1',
  async (t) => {
    await Promise.all([passVectors(t, 'connections'), passVectors(t, 'sequence')]);
  },
);

interopTest(
  'the second implementation passes every vector for certificates',
  '127.0.0.1',
  async (t) => {
    await passVectors(t, 'certificate');
  },
  ['python3-cryptography'],
);

for (const at of hosts) {
  interopTest(`second initiator, our responder, granted, ${at.host}`, at.host, async (t) => {
    const wish = { service: 'ssh', admission: 'port', claim: '192.0.2.7:40123' } as const;
    const { knock, said, code } = await secondKnocks(t, at, { wish, outcome: granted });
    t.is(code, 0);
    t.like(knock, {
      service: 'ssh',
      admission: 'port',
      claimed: { address: '192.0.2.7', port: 40123 },
    });
    t.is(knock.observed.address, endpoint(at.host, 0).address);
    t.deepEqual(said, {
      outcome: granted,
      observed: knock.observed,
      sessionSecret: toHex(knock.sessionSecret),
    });
  });

  interopTest(`second initiator, our responder, refused, ${at.host}`, at.host, async (t) => {
    const wish = { service: 'web-admin', admission: null, claim: null };
    const { knock, said, code } = await secondKnocks(t, at, { wish, outcome: refused });
    t.is(code, 0);
    t.like(knock, { service: 'web-admin', admission: null, claimed: null });
    t.deepEqual(said, {
      outcome: refused,
      observed: knock.observed,
      sessionSecret: toHex(knock.sessionSecret),
    });
  });

  interopTest(`our initiator, second responder, granted, ${at.host}`, at.host, async (t) => {
    const { second, port } = await secondListens(t, at);
    for (const admission of ['once', null] as const) {
      const ours = await weKnock(t, at, { port, service: 'ssh', admission });
      const theirs = await second.next();
      t.like(ours.outcome, { kind: 'granted', admission: 'once', lifetimeMs: 30_000 });
      t.like(ours.outcome, { ports: [parseServicePort('tcp/22'), parseServicePort('udp/53')] });
      t.deepEqual(theirs, { service: 'ssh', admission, claimed: claimed(at), ...plain(ours) });
    }
    t.is(await second.end(), 0);
  });

  interopTest(`our initiator, second responder, refused, ${at.host}`, at.host, async (t) => {
    const { second, port } = await secondListens(t, at);
    const unknown = await weKnock(t, at, { port, service: 'db', admission: null });
    t.deepEqual(unknown.outcome, { kind: 'refused', reason: 'service-refused', acceptable: [] });
    t.like(await second.next(), plain(unknown));
    const gate = await weKnock(t, at, { port, service: 'ssh', admission: 'gate' });
    t.deepEqual(gate.outcome, {
      kind: 'refused',
      reason: 'admission-refused',
      acceptable: ['address', 'once'],
    });
    t.like(await second.next(), plain(gate));
    second.child.kill('SIGTERM');
    t.is(await second.end(), 0);
  });
}

interopTest('second initiator repeats what is lost on the way', '127.0.0.1', async (t) => {
  const wish = { service: 'ssh', admission: 'port', claim: null };
  const lose = { requests: 1, grants: 2 };
  const { knock, said } = await secondKnocks(t, hosts[0], { wish, outcome: granted, lose });
  t.like(said, { outcome: granted, sessionSecret: toHex(knock.sessionSecret) });
});

interopTest('second initiator gives up on silence', '127.0.0.1', async (t) => {
  const socket = await bound(t, hosts[0]);
  const received: string[] = [];
  socket.on('message', (datagram) => received.push(toHex(datagram)));
  const second = run(t, 'initiate');
  const config = { ...wireConfig(newCredential()), service: 'ssh' };
  const at = { host: '127.0.0.1', port: socket.address().port };
  t.deepEqual(await second.tell(JSON.stringify({ ...config, ...at })), { reason: 'no-challenge' });
  t.is(await second.end(), 1);
  t.is(received.length, 5);
  t.is(new Set(received).size, 1);
});

/** Declares a test that needs python3 and an address of this machine; skipped without, unless nothing may be. */
function interopTest(
  title: string,
  address: string,
  implementation: (t: ExecutionContext) => Promise<void>,
  programs: readonly string[] = ['python3'],
): void {
  const missing = programs.find((program) => !isInstalled(program));
  const lack =
    missing !== undefined
      ? `${missing} is not installed`
      : hasAddress(address)
        ? ''
        : `${address} is not configured`;
  if (lack === '') {
    test(title, async (t) => {
      t.timeout(deadlineMs);
      await implementation(t);
    });
  } else if (process.env['HKNOCK_REQUIRE_NETNS'] === '1') {
    test(title, (t) => {
      t.fail(lack);
    });
  } else {
    test.skip(`${title} (${lack})`, implementation);
  }
}

function hasAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((a) => a.address === address));
}

// The second implementation

type Program = Parameters<typeof secondArgv>[0];

async function passVectors(t: ExecutionContext, program: Program): Promise<void> {
  const argv = secondArgv(program, 'vectors', vectorsPath);
  const { stdout, code } = await execute(argv, { allowFailure: true });
  t.is(code, 0, stdout);
  t.regex(stdout, /^[1-9]\d* vectors, 0 failed$/m);
}

function run(t: ExecutionContext, command: string): Second {
  const [program, ...args] = secondArgv('secret', command);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return new Second(child);
}

async function secondListens(
  t: ExecutionContext,
  { host }: Host,
): Promise<{ second: Second; port: number }> {
  const second = run(t, 'respond');
  const services = { ssh: ['tcp/22', 'udp/53'] };
  const config = { ...wireConfig(credentialOf(t)), host, port: 0, services };
  const { listening } = (await second.tell(JSON.stringify(config))) as { listening: number };
  return { second, port: listening };
}

// Our side

/** Lets the second initiator knock at our responder; `lose` swallows that many of the first datagrams. */
async function secondKnocks(
  t: ExecutionContext,
  at: Host,
  {
    wish,
    outcome,
    lose = { requests: 0, grants: 0 },
  }: { wish: object; outcome: Outcome; lose?: { requests: number; grants: number } },
): Promise<{ knock: Knock; said: unknown; code: number | null }> {
  const credential = newCredential();
  const peers = new PeerTable();
  peers.add(parsePeerName('alice'), credential);
  const limits = new KnockLimits(plenty, plenty);
  const responder = new Responder({ peers, entropy, limits, replayCapacity: 16 });
  const socket = await bound(t, at);
  const left = { ...lose };
  const knocks: Knock[] = [];
  const grants = new Set<string>();

  socket.on('message', (datagram: Buffer, from: RemoteInfo) => {
    if (left.requests-- > 0) return;
    const judged = responder.receive(
      datagram,
      endpoint(from.address, from.port),
      clock.monotonicMs(),
    );
    if (judged.kind === 'drop' || judged.kind === 'lease') {
      t.fail(judged.kind === 'drop' ? `dropped: ${judged.reason}` : judged.kind);
      return;
    }
    if (judged.kind === 'knock') knocks.push(judged.knock);
    const answer =
      judged.kind === 'knock' ? responder.conclude(judged.ticket, outcome) : judged.bytes;
    if (knocks.length > 0) {
      grants.add(toHex(answer));
      if (left.grants-- > 0) return;
    }
    socket.send(answer, from.port, from.address);
  });

  const second = run(t, 'initiate');
  const { port } = socket.address();
  const config = { ...wireConfig(credential), ...wish, host: at.host, port };
  const said = await second.tell(JSON.stringify(config));
  const code = await second.end();
  t.is(grants.size, 1, 'a repeated Response gets the same Grant');
  const [knock] = knocks;
  if (knock === undefined || knocks.length > 1) throw new Error('there was not one knock');
  return { knock, said, code };
}

/** Our initiator knocks at a port of this machine. */
async function weKnock(
  t: ExecutionContext,
  at: Host,
  wish: { port: number; service: string; admission: Admission | null },
): Promise<Conclusion> {
  const context: InitiatorContext = {
    keys: deriveKeys(credentialOf(t)),
    wish: {
      claimed: claimed(at),
      service: parseServiceName(wish.service),
      admission: wish.admission,
    },
    entropy,
  };
  const socket = await bound(t, at);
  return await new Promise((resolve, reject) => {
    let timer = clock.after(0, () => undefined);
    let current = start(context, clock.monotonicMs());
    const happen = (event: InitiatorEvent): void => {
      enter(step(context, current.state, { event, now: clock.monotonicMs() }));
    };
    const enter = (next: InitiatorStep): void => {
      timer.cancel();
      current = next;
      const { state, send } = next;
      for (const datagram of send) socket.send(datagram, wish.port, at.host);
      if (state.kind === 'concluded') resolve(state.conclusion);
      if (state.kind === 'failed') reject(new Error(state.reason));
      if (state.kind === 'challenged') {
        happen({ kind: 'proceed' });
        return;
      }
      const due = nextTimerAt(state);
      if (due === null) return;
      timer = clock.after(due - clock.monotonicMs(), () => {
        happen({ kind: 'timer' });
      });
    };
    socket.on('message', (bytes: Buffer) => {
      happen({ kind: 'datagram', bytes });
    });
    enter(current);
  });
}

async function bound(t: ExecutionContext, { host, type }: Host): Promise<Socket> {
  const socket = createSocket(type);
  t.teardown(() => {
    socket.close();
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

// Values

const credentials = new WeakMap<ExecutionContext, Credential>();

/** The one credential that both sides of a test share. */
function credentialOf(t: ExecutionContext): Credential {
  const credential = credentials.get(t) ?? newCredential();
  credentials.set(t, credential);
  return credential;
}

function newCredential(): Credential {
  return {
    tag: entropy.bytes(8),
    secret: entropy.bytes(32),
    responderId: entropy.bytes(16),
  };
}

function wireConfig({ tag, secret, responderId }: Credential): Record<string, string> {
  return { tag: toHex(tag), secret: toHex(secret), responderId: toHex(responderId) };
}

function endpoint(text: string, port: number): Endpoint {
  const address = parseAddress(text);
  if (address === null) throw new Error(`${text} is not an address`);
  return { address, port };
}

/** As behind a NAT: not an address of this machine, and of the family in use. */
function claimed({ type }: Host): Endpoint {
  return type === 'udp4' ? endpoint('192.0.2.9', 4242) : endpoint('2001:db8::9', 4242);
}

function plain({ outcome, observed, sessionSecret }: Conclusion): object {
  return { outcome, observed, sessionSecret: toHex(sessionSecret) };
}
