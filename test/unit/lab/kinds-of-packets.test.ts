import test from 'ava';
import { datagram, echoRequest, segment } from '../../../src/lab/craft.ts';
import { isAnswer, isKnock, isOfConnection } from '../../../src/lab/kinds-of-packets.ts';
import { addresses } from '../../../src/lab/network.ts';
import { ACK, changePacket, SYN } from '../../../src/lab/packet.ts';

const service = { address: addresses.server, port: 8080 };
const elsewhere = { address: addresses.server, port: 7001 };
const secret = { address: addresses.server, port: 12_345 };
const defence = { ports: [8080] };
const nothing = new Uint8Array();

test('a knock: datagrams and SYNs to the server, but not to the service', (t) => {
  t.true(isKnock(datagram(elsewhere, nothing), defence));
  t.true(isKnock(segment(elsewhere, SYN), defence));
  t.false(isKnock(segment(elsewhere, ACK), defence));
  t.false(isKnock(segment(service, SYN), defence));
  t.false(isKnock(datagram({ ...elsewhere, address: addresses.twin }, nothing), defence));
});

test('what a NAT says about packets that it did not want is no knock', (t) => {
  t.false(isKnock(echoRequest(addresses.server), defence));
});

test('where the connection is the knock, its SYN alone is one', (t) => {
  const byConnecting = { ...defence, knocksByConnecting: true };
  t.true(isKnock(segment(service, SYN), byConnecting));
  t.false(isKnock(segment(service, ACK), byConnecting));
});

test('of a connection is what goes to the service, or to a port that only its client knows', (t) => {
  t.true(isOfConnection(segment(service, ACK), defence));
  t.true(isOfConnection(segment(secret, SYN), defence));
  t.false(isOfConnection(segment(elsewhere, SYN), defence));
  t.false(isOfConnection(datagram(service, nothing), defence));
});

test('an answer: datagrams from the server', (t) => {
  const from = (source: string) => changePacket(datagram(elsewhere, nothing), { source });
  t.true(isAnswer(from(addresses.server)));
  t.false(isAnswer(from(addresses.stranger)));
  t.false(isAnswer(changePacket(segment(elsewhere, SYN), { source: addresses.server })));
});
