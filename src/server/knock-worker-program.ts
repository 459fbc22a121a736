// What a thread runs that reads knocks from the server's own sockets: it judges as far as one can without the replay record, answers
// Requests, and hands on what is left.
import { parentPort, workerData } from 'node:worker_threads';
import { startsWith } from '../bytes/bytes.ts';
import { Traffic } from '../dgram-ext/traffic.ts';
import { UdpSocket } from '../dgram-ext/udp-socket.ts';
import type { DropReason } from '../errors/drop-reason.ts';
import { PeerTable } from '../handshake/peer-table.ts';
import { Sieve } from '../handshake/sieve.ts';
import type { Log } from '../host/log.ts';
import { createSystemClock } from '../system/clock.ts';
import { createSystemEntropy } from '../system/entropy.ts';
import { createSystemLoad } from '../system/load.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { FloodGate } from './flood-gate.ts';
import {
  droppedFor,
  type KnockWorkerData,
  type Notice,
  type Saying,
  type WorkerCounter,
  workerCounters,
} from './worker-messages.ts';

/** Datagrams that may wait for the main thread: what it judges in a twentieth of a second. */
const MOST_AHEAD = 1024;

const { cookieRoot, chooses, counts, ahead } = workerData as KnockWorkerData;
/** Whether there is too much shows in the counters; the log says it of the main thread. */
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const clock = createSystemClock();
const peers = new PeerTable();
const flood = new FloodGate({
  load: chooses ? createSystemLoad() : { busy: () => 0 },
  clock,
  log: silent,
});
const { admits } = flood;
const sieve = new Sieve({ admits, peers, entropy: createSystemEntropy(), cookieRoot });
const traffic = new Traffic();
const sockets = new Map<string, UdpSocket>();
let handOnTags: readonly Uint8Array[] = [];
const placeOf = new Map<string, number>(workerCounters.map((name, at) => [name, at]));
/** The same by the reason alone: most of a flood is dropped, and no text is to be made for it. */
const placeOfDrop = new Map<DropReason, number | undefined>(
  droppedFor.map((reason) => [reason, placeOf.get(`dropped ${reason}`)]),
);

traffic.listen(receive);
parentPort?.on('message', follow);
say({ kind: 'ready' });

function say(saying: Saying): void {
  parentPort?.postMessage(saying);
}

function count(counter: WorkerCounter): void {
  countAt(placeOf.get(counter));
}

function countAt(at = 0): void {
  counts[at] = (counts[at] ?? 0) + 1;
}

function follow(notice: Notice): void {
  switch (notice.kind) {
    case 'opened': {
      const { local, descriptor } = notice;
      sockets.set(formatEndpoint(local), UdpSocket.share(local, descriptor, traffic));
      return;
    }
    case 'closed':
      void sockets.get(formatEndpoint(notice.local))?.close();
      sockets.delete(formatEndpoint(notice.local));
      return;
    case 'added':
      peers.add(notice.name, notice.credential);
      return;
    case 'removed':
      peers.remove(notice.tag);
      return;
    case 'handOn':
      handOnTags = notice.tags;
      return;
    case 'granted':
      flood.granted(notice.to);
      return;
    case 'mark':
      say(notice);
  }
}

function receive(bytes: Uint8Array, remote: Endpoint, local: Endpoint): void {
  const now = clock.monotonicMs();
  count('received');
  flood.arrived(now);
  if (handOnTags.some((tag) => startsWith(bytes, tag))) {
    handOn({ bytes, remote, local, isExpected: false });
    return;
  }
  const sifted = sieve.sift(bytes, remote, now);
  switch (sifted.kind) {
    case 'drop':
      drop(sifted.reason);
      return;
    case 'reply':
      count('answered');
      flood.sent(sifted.bytes, remote);
      sockets.get(formatEndpoint(local))?.send(sifted.bytes, remote);
      return;
    default:
      handOn({ bytes, remote, local, isExpected: sifted.kind === 'response' });
  }
}

function handOn(datagram: Omit<Saying & { readonly kind: 'datagram' }, 'kind'>): void {
  if (Atomics.load(ahead, 0) >= MOST_AHEAD) {
    drop('overload');
    return;
  }
  Atomics.add(ahead, 0, 1);
  count('handedOn');
  say({ ...datagram, kind: 'datagram', bytes: Uint8Array.from(datagram.bytes) });
}

function drop(reason: DropReason): void {
  countAt(placeOfDrop.get(reason));
}
