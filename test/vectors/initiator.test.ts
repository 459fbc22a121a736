import test from 'ava';
import { toHex } from '../../src/bytes/bytes.ts';
import {
  type InitiatorContext,
  type InitiatorEvent,
  type InitiatorState,
  type InitiatorStep,
  start,
  step,
} from '../../src/handshake/initiator.ts';
import { deriveKeys } from '../../src/handshake/keys.ts';
import type { RequestBody } from '../../src/handshake/wire/request.ts';
import type { MonotonicMs } from '../../src/units/time.ts';
import { bytes, drawsFrom, readVectors } from './vector-file.ts';

type Vector = ReturnType<typeof readVectors<'initiator'>>[number];

for (const vector of readVectors('initiator')) {
  test(vector.name, (t) => {
    const context = contextFor(vector);
    let last: InitiatorStep | null = null;
    for (const { atMs, event, datagram, expect } of vector.steps) {
      const now = atMs as MonotonicMs;
      if (event === 'start') last = start(context, now);
      else if (last !== null)
        last = step(context, last.state, { event: eventOf(event, datagram), now });
      t.deepEqual(told(last), expect as unknown);
    }
  });
}

function eventOf(
  kind: 'timer' | 'proceed' | 'datagram',
  datagram: string | undefined,
): InitiatorEvent {
  return kind === 'datagram' ? { kind, bytes: bytes(datagram ?? '') } : { kind };
}

/** What a vector tells of a step. */
function told(last: InitiatorStep | null): unknown {
  if (last === null) return null;
  const { state, send } = last;
  return { state: state.kind, send: send.map(toHex), ...details(state) };
}

function details(state: InitiatorState): object {
  switch (state.kind) {
    case 'challenged':
      return { observed: state.challenges[0].observed };
    case 'concluded': {
      const { outcome, observed, sessionSecret } = state.conclusion;
      return { outcome, observed, sessionSecret: toHex(sessionSecret) };
    }
    case 'failed':
      return 'observed' in state
        ? { reason: state.reason, observed: state.observed }
        : { reason: state.reason };
    default:
      return {};
  }
}

function contextFor({ credential, wish, draws, expectAddresses }: Vector): InitiatorContext {
  const keys = deriveKeys({
    tag: bytes(credential.tag),
    secret: bytes(credential.secret),
    responderId: bytes(credential.responderId),
  });
  const entropy = drawsFrom(draws.nonces);
  const canHave = (address: string): boolean => expectAddresses?.includes(address) ?? true;
  return { keys, wish: wish as RequestBody, entropy, canHave };
}
