import { availableParallelism } from 'node:os';
import { encodeRequest, encodeRequestBody } from '../../src/handshake/wire/request.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parseServiceName } from '../../src/units/names.ts';
import { flood } from './flood.ts';
import { loopback, type Target } from './target.ts';
import { perSecond, type Row } from './table.ts';

const entropy = createSystemEntropy();

/** How many datagrams a second one core deals with, by how far they come. */
export async function rates(): Promise<readonly Row[]> {
  const garbage = await flood({ datagram: () => entropy.bytes(100), datagrams: 1_500_000 });
  const tagged = await flood({ datagram: spoiled, datagrams: 500_000 });
  const requests = await flood({ datagram: request, datagrams: 500_000 });
  const echo = { datagram: request, datagrams: 500_000, program: 'echo-program.ts' };
  const bare = await flood(echo);
  return [
    {
      what: 'garbage received, per second of processor',
      measured: perSecond(garbage.received, garbage.cpuSeconds),
      target: 'at least 150,000',
      isReached: garbage.received / garbage.cpuSeconds >= 150_000,
    },
    {
      what: 'garbage under a real tag, per second of processor',
      measured: perSecond(tagged.received, tagged.cpuSeconds),
    },
    {
      what: 'Requests answered, per second of processor',
      measured: perSecond(requests.answered, requests.cpuSeconds),
      target: 'at least 60,000',
      isReached: requests.answered / requests.cpuSeconds >= 60_000,
    },
    {
      what: 'a bare node:dgram echo with one MAC, per second of processor',
      measured: perSecond(bare.answered, bare.cpuSeconds),
    },
    {
      what: 'Requests answered, as a share of that',
      measured: (
        requests.answered /
        requests.cpuSeconds /
        (bare.answered / bare.cpuSeconds)
      ).toFixed(2),
    },
  ];
}

/** Requests answered in a second of time, not of a processor: what a second thread adds where there is a processor for it. */
export async function workers(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const count of [1, 2]) {
    const { answered, wallSeconds } = await flood({
      datagram: request,
      datagrams: 1_000_000,
      workers: count,
    });
    rows.push({
      what: `Requests answered by ${String(count)} of [server] workers, beside one process that sends, on ${String(availableParallelism())} processors`,
      measured: perSecond(answered, wallSeconds),
    });
  }
  return rows;
}

/** Memory after ten million datagrams that are nobody's. */
export async function memory(): Promise<readonly Row[]> {
  const { before, after, received } = await flood({
    datagram: () => entropy.bytes(100),
    datagrams: 10_000_000,
  });
  const growth = (key: 'heap' | 'rss'): number => (after[key] - before[key]) / 1e6;
  return [
    {
      what: `growth over ${String(received)} garbage datagrams, live memory`,
      measured: `${growth('heap').toFixed(1)} MB`,
      target: 'under 5 MB',
      isReached: growth('heap') < 5,
    },
    {
      what: 'the same, resident',
      measured: `${growth('rss').toFixed(1)} MB`,
      target: 'under 5 MB',
      isReached: growth('rss') < 5,
    },
  ];
}

function request({ keys }: Target): Uint8Array {
  const claimed = { address: loopback, port: 4000 };
  const body = encodeRequestBody({ claimed, service: parseServiceName('ssh'), admission: null });
  return encodeRequest(keys, entropy.bytes(24), body);
}

function spoiled(target: Target): Uint8Array {
  const datagram = Uint8Array.from(request(target));
  datagram.fill(0, 99);
  return datagram;
}
