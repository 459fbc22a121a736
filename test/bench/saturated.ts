import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import { encodeRequest, encodeRequestBody } from '../../src/handshake/wire/request.ts';
import { bindDatagramSocket } from '../../src/dgram-ext/bind.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import { CertificateVerifier } from '../../src/pki/verifier.ts';
import { CertificateJudge } from '../../src/server/certificate-judge.ts';
import { KnockPort } from '../../src/server/knock-port.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { refuse } from '../../src/units/knock.ts';
import { leaseEnd } from '../../src/units/lease.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { MonotonicMs } from '../../src/units/time.ts';
import { lobbyKeys } from '../../src/certificate/lobby.ts';
import { certificateProver } from '../../src/certificate/prover.ts';
import { pointOf } from '../../src/crypto/p256.ts';
import { type InitiatorContext, start, step } from '../../src/handshake/initiator.ts';
import { type CertificateWorld, certificateWorld, client, unlimited } from './certificate-world.ts';
import { milliseconds, percentile, type Row } from './table.ts';
import { loopback, peerName } from './target.ts';
import { readTypeScript } from '../support/typescript.ts';

const REQUESTS = 3000;

/** As many as wait or are at work all the time, with one thread. */
const IN_FLIGHT = 64;

const clock = createSystemClock();
const entropy = createSystemEntropy();

/** How soon a peer with a secret is answered while the thread for public-key work has more than it can do. */
export async function saturated(): Promise<readonly Row[]> {
  const world = await certificateWorld();
  const limits = new KnockLimits(unlimited, unlimited);
  const judge = await CertificateJudge.start({
    certificates: { verifier: new CertificateVerifier({ ca: world.ca }) },
    examiners: { data: { key: world.server.privateKey, ca: world.ca }, threads: 1 },
    ...{ limits, clock, entropy, replayCapacity: 65_536, log: new FakeLog() },
  });
  const credential = {
    tag: entropy.bytes(8),
    secret: entropy.bytes(32),
    responderId: entropy.bytes(16),
  };
  const peers = new PeerTable();
  peers.add(peerName, credential);
  const socket = await bindDatagramSocket({ addresses: [{ address: loopback, port: 0 }], clock });
  new KnockPort({
    socket,
    responder: new Responder({ peers, entropy, limits, replayCapacity: 65_536 }),
    admit: () => Promise.resolve(refuse('service-refused')),
    keepLease: () => Promise.resolve(leaseEnd('over')),
    clock,
    log: new FakeLog(),
  });
  const requests = Array.from({ length: 64 }, () => {
    const wish = { claimed: null, service: parseServiceName('ssh'), admission: null };
    return encodeRequest(deriveKeys(credential), entropy.bytes(24), encodeRequestBody(wish));
  });
  const ask = (): Promise<readonly number[]> => timesOf(socket.local[0]?.port ?? 0, requests);
  try {
    await ask();
    const quiet = percentile(await ask(), 50);
    const flood = keepBusy(judge, world);
    const before = judge.counters().done;
    const startedAt = performance.now();
    const busy = percentile(await ask(), 50);
    const seconds = (performance.now() - startedAt) / 1000;
    const done = judge.counters().done - before;
    await flood.stop();
    return [
      { what: 'a Request with a secret answered, quiet, p50', measured: milliseconds(quiet) },
      {
        what: `the same while one thread examines ${String(Math.round(done / seconds))} Responses a second, p50`,
        measured: milliseconds(busy),
        target: 'under 2 times quiet',
        isReached: busy < 2 * quiet,
      },
    ];
  } finally {
    await judge.stop();
    await socket.close();
  }
}

/** Hands the judge Responses whose signature is wrong, and so may come again, as fast as he is done with them. */
function keepBusy(judge: CertificateJudge, world: CertificateWorld): { stop: () => Promise<void> } {
  const ending = new AbortController();
  const isOn = (): boolean => !ending.signal.aborted;
  const one = async (): Promise<void> => {
    while (isOn()) {
      const now = clock.monotonicMs();
      const response = await spoiltResponse(judge, world, now);
      // a challenge lives for ten seconds
      while (isOn() && clock.monotonicMs() < now + 9000) {
        await judge.receive(response, client, clock.monotonicMs());
      }
    }
  };
  const all = Array.from({ length: IN_FLIGHT }, one);
  return {
    stop: async () => {
      ending.abort();
      await Promise.all(all);
    },
  };
}

/** One whose certificate is good and whose signature is not: it takes all the work, and is not recorded. */
async function spoiltResponse(
  judge: CertificateJudge,
  { clients: [holder], server }: CertificateWorld,
  now: MonotonicMs,
): Promise<Uint8Array> {
  const certificate = holder?.certificate ?? new Uint8Array();
  const responderPoint = pointOf(server.publicKey);
  const context: InitiatorContext = {
    keys: lobbyKeys(responderPoint),
    wish: { claimed: null, service: parseServiceName('ssh'), admission: null },
    entropy,
    prover: certificateProver({
      certificate,
      responderPoint,
      sign: () => new Uint8Array(64).fill(1),
    }),
  };
  const first = start(context, now);
  const challenge = await judge.receive(first.send[0] ?? new Uint8Array(), client, now);
  if (challenge.kind !== 'reply') throw new Error(challenge.kind);
  const event = { kind: 'datagram', bytes: challenge.bytes } as const;
  const { state } = step(context, first.state, { event, now });
  return step(context, state, { event: { kind: 'proceed' }, now }).send[0] ?? new Uint8Array();
}

async function timesOf(port: number, requests: readonly Uint8Array[]): Promise<readonly number[]> {
  const program = fileURLToPath(new URL('latency-program.ts', import.meta.url));
  const args = [...readTypeScript, program, String(port), String(REQUESTS)];
  const hex = requests.map((each) => Buffer.from(each).toString('hex'));
  const { stdout } = await promisify(execFile)(process.execPath, [...args, ...hex], {
    maxBuffer: 16_777_216,
  });
  return JSON.parse(stdout) as number[];
}
