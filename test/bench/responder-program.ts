// A responder on loopback, alone in its process, with as many threads that read as it is told; tells on request what it counted and what that cost.
import { bindDatagramSocket } from '../../src/dgram-ext/bind.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import { FloodGate } from '../../src/server/flood-gate.ts';
import { KnockPort } from '../../src/server/knock-port.ts';
import { KnockWorkers } from '../../src/server/knock-workers.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { createDatagramDescriptors } from '../../src/system/datagram-descriptors.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { refuse } from '../../src/units/knock.ts';
import { leaseEnd } from '../../src/units/lease.ts';
import { loopback, peerName } from './target.ts';
import { tellUsage } from './usage.ts';

const threads = Number(process.argv[2] ?? 1) - 1;
const clock = createSystemClock();
const entropy = createSystemEntropy();
const credential = {
  tag: entropy.bytes(8),
  secret: entropy.bytes(32),
  responderId: entropy.bytes(16),
};
const peers = new PeerTable();
peers.add(peerName, credential);
const rate = { perSecond: 1000, burst: 1000 };
const limits = new KnockLimits(rate, rate);
const cookieRoot = entropy.bytes(32);
const responder = new Responder({ peers, entropy, limits, replayCapacity: 65_536, cookieRoot });
const socket = await bindDatagramSocket({
  addresses: [{ address: loopback, port: 0 }],
  descriptors: threads > 0 ? await createDatagramDescriptors() : null,
  clock,
});
const log = new FakeLog();
const port = new KnockPort({
  socket,
  responder,
  admit: () => Promise.resolve(refuse('service-refused')),
  keepLease: () => Promise.resolve(leaseEnd('over')),
  clock,
  log,
});
// all is judged: it is to be seen how much that can be
const flood = new FloodGate({ load: { busy: () => 0 }, clock, log });
const workers = await KnockWorkers.start({
  ...{ threads, socket, peers, flood, cookieRoot, clock, log },
  chooses: false,
});

tellUsage(() => {
  const { received, receiveDropped } = socket.counters();
  const theirs = workers.counters();
  return {
    received: received + (theirs['received'] ?? 0),
    receiveDropped,
    answered: port.counters().answered + (theirs['answered'] ?? 0),
  };
});
process.on('disconnect', () => {
  void socket.close();
  void workers.stop();
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
process.send?.({
  port: socket.local[0]?.port,
  tag: hex(credential.tag),
  secret: hex(credential.secret),
  responderId: hex(credential.responderId),
});
