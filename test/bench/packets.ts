import { createECDH, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import type { MonotonicMs } from '../../src/units/time.ts';
import { CertificateResponses } from './certificate-responses.ts';
import { type CertificateWorld, certificateWorld, client, NOW } from './certificate-world.ts';
import { p256Speed } from './openssl-speed.ts';
import { sknockDatagrams, sknockReceiver } from './sknock-world.ts';
import { perSecond, type Row } from './table.ts';

/** Timed at a time, between two looks at what openssl does at that time. */
const BATCH = 2000;
const BATCHES = 5;

/** Packets a second that the paper's server took, all valid (Sel, Totakura, Carle, section V.B). */
const PAPER = 5300;

/** Does a batch; gives the seconds of processor that it took. */
type Measure = () => number;

/** Valid packets and nothing else, with all certificates cached: what one core takes, beside what its arithmetic alone would take. */
export async function packets(): Promise<readonly Row[]> {
  const world = await certificateWorld();
  const measures = [nodesOwn(), sknockOf(world), certificateOf(world)];
  const costs = measures.map(() => 0);
  const limits = [await limit()];
  for (let i = 0; i < BATCHES; i++) {
    measures.forEach((measure, at) => (costs[at] = (costs[at] ?? 0) + measure()));
    limits.push(await limit());
  }
  const least = limits.reduce((sum, each) => sum + each, 0) / limits.length;
  const [node = 0, sknock = 0, certificate = 0] = costs.map((each) => each / BATCHES / BATCH);
  return [
    {
      what: 'one ECDH and one ECDSA verification on P-256, by openssl speed',
      measured: perSecond(1, least),
    },
    {
      what: "the same by node:crypto's computeSecret and verify",
      measured: `${perSecond(1, node)}, ${percentOf(least, node)} of it`,
    },
    ...rowsOf(`sKnock packets, all valid (paper: ${String(PAPER)}/s)`, sknock, least),
    ...rowsOf('Responses of the certificate challenge, all valid', certificate, least),
  ];
}

function rowsOf(what: string, cost: number, least: number): readonly Row[] {
  return [
    { what: `${what}, per second of processor`, measured: perSecond(1, cost) },
    {
      what: 'as a share of what openssl speed says',
      measured: percentOf(least, cost),
      target: 'at least 75 %',
      isReached: least / cost >= 0.75,
    },
  ];
}

function percentOf(least: number, cost: number): string {
  return `${((100 * least) / cost).toFixed(0)} %`;
}

async function limit(): Promise<number> {
  const { ecdh, verify: verification } = await p256Speed();
  return ecdh + verification;
}

/** The arithmetic by the calls that Node documents, and nothing else. */
function nodesOwn(): Measure {
  const own = createECDH('prime256v1');
  own.generateKeys();
  const point = createECDH('prime256v1').generateKeys();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = randomBytes(700);
  const signature = sign('sha256', message, privateKey);
  return () =>
    cpuSecondsOf(() => {
      for (let i = 0; i < BATCH; i++) {
        own.computeSecret(point);
        verify('sha256', message, publicKey, signature);
      }
    });
}

function sknockOf(world: CertificateWorld): Measure {
  const receive = sknockReceiver(world);
  const arrival = { source: client, unixMs: NOW, monotonicMs: 0 as MonotonicMs };
  return measureOf(
    () => sknockDatagrams(world, BATCH),
    (datagrams) => {
      for (const each of datagrams) {
        const { kind } = receive(each, arrival);
        if (kind !== 'knock') throw new Error(kind);
      }
    },
  );
}

function certificateOf(world: CertificateWorld): Measure {
  const responses = new CertificateResponses(world);
  return measureOf(
    () => responses.make(BATCH),
    (made) => {
      responses.take(made);
    },
  );
}

/** Times what is done with frames that have been made before; the first two batches let it be compiled. */
function measureOf(
  make: () => readonly Uint8Array[],
  take: (frames: readonly Uint8Array[]) => void,
): Measure {
  for (let i = 0; i < 2; i++) take(make());
  return () => {
    const frames = make();
    return cpuSecondsOf(() => {
      take(frames);
    });
  };
}

function cpuSecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
