// Run by silence.test.ts on the client: `PROFILE ADDRESS`. Goes through a handshake, but before it sends the Response it
// sends every wrong form of both messages. Prints how many, how many answers came, and what became of the handshake.
import { type Socket, createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type InitiatorState,
  type InitiatorStep,
  start,
  step,
} from '../../src/handshake/initiator.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { decodeResponse, encodeResponse } from '../../src/handshake/wire/response.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import type { MonotonicMs } from '../../src/units/time.ts';

const ROUNDS = 10;

const [file = '', address = ''] = process.argv.slice(2);
const profile = await readProfileFile(file);
const entropy = createSystemEntropy();
const keys = deriveKeys(profile);
const [service] = [...profile.services.keys()];
if (service === undefined) throw new Error('a profile without a service');
const context = { keys, wish: { claimed: null, service, admission: null }, entropy };
const now = 0 as MonotonicMs;

const socket: Socket = createSocket('udp4');
let answers = 0;
let state: InitiatorState;
socket.on('message', (bytes) => {
  answers++;
  ({ state } = step(context, state, { event: { kind: 'datagram', bytes }, now }));
});
socket.connect(profile.port, address);
await new Promise((resolve) => socket.once('connect', resolve));

const began = start(context, now);
state = began.state;
const request = only(began);
socket.send(request);
await arrivesAt('challenged');

const answered = step(context, state, { event: { kind: 'proceed' }, now });
state = answered.state;
const response = only(answered);
const wrong = [request, response].flatMap(spoilt).concat(sealedAnew(response));
for (let round = 0; round < ROUNDS; round++) await sendAll(wrong);
// an answer would be here in a hundredth of this, and the Response is to find room in the receive buffer
await sleep(1500);
const answersToWrong = answers - 1;

socket.send(response);
await arrivesAt('concluded');
socket.close();
console.log(JSON.stringify({ sent: wrong.length * ROUNDS, answersToWrong, outcome: outcome() }));

/** A message at every length that is not its own, and with every one of its bytes changed. */
function spoilt(message: Uint8Array): Uint8Array[] {
  const truncated = Array.from(message, (_, length) => message.slice(0, length));
  const longer = [1, 1200 - message.length].map((more) =>
    Uint8Array.from([...message, ...new Uint8Array(more)]),
  );
  return [...truncated, ...longer, ...changed(message)];
}

function changed(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte, at) => bytes.with(at, byte ^ (1 << (at % 8))));
}

/** What only the holder of the keys can make: Responses that open, with every byte inside changed. */
function sealedAnew(message: Uint8Array): Uint8Array[] {
  const opened = decodeResponse(keys, message);
  if (opened === null) throw new Error('our own Response does not open');
  const { statement, cookie, proof } = opened;
  return [
    ...changed(statement).map((each) => ({ statement: each, cookie, proof })),
    ...changed(cookie).map((each) => ({ statement, cookie: each, proof })),
    ...changed(proof).map((each) => ({ statement, cookie, proof: each })),
  ].map((body) => encodeResponse(keys, entropy.bytes(24), body));
}

/** In portions that the server's receive buffer has room for: each datagram is to be judged. */
async function sendAll(datagrams: readonly Uint8Array[]): Promise<void> {
  for (const [at, datagram] of datagrams.entries()) {
    socket.send(datagram);
    if (at % 50 === 49) await sleep(5);
  }
}

async function arrivesAt(kind: InitiatorState['kind']): Promise<void> {
  const end = performance.now() + 3000;
  while (state.kind !== kind) {
    if (performance.now() > end) throw new Error(`still ${state.kind}, not ${kind}`);
    await sleep(5);
  }
}

function only({ send: [message] }: InitiatorStep): Uint8Array {
  if (message === undefined) throw new Error('nothing to send');
  return message;
}

function outcome(): string {
  return state.kind === 'concluded' ? state.conclusion.outcome.kind : state.kind;
}
