// A responder on loopback, alone in its process; tells on request what it counted and what that cost.
import { bindDatagramSocket } from '../../src/dgram-ext/bind.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { PeerTable } from '../../src/handshake/peer-table.ts';
import { Responder } from '../../src/handshake/responder.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import { KnockPort } from '../../src/server/knock-port.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { refuse } from '../../src/units/knock.ts';
import { leaseEnd } from '../../src/units/lease.ts';
import { loopback, peerName } from './target.ts';
import { tellUsage } from './usage.ts';

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
const responder = new Responder({ peers, entropy, limits, replayCapacity: 65_536 });
const socket = await bindDatagramSocket({ addresses: [{ address: loopback, port: 0 }], clock });
const port = new KnockPort({
  socket,
  responder,
  admit: () => Promise.resolve(refuse('service-refused')),
  keepLease: () => Promise.resolve(leaseEnd('over')),
  clock,
  log: new FakeLog(),
});

tellUsage(() => {
  const { received, receiveDropped } = socket.counters();
  return { received, receiveDropped, answered: port.counters().answered };
});
process.on('disconnect', () => void socket.close());
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
process.send?.({
  port: socket.local[0]?.port,
  tag: hex(credential.tag),
  secret: hex(credential.secret),
  responderId: hex(credential.responderId),
});
