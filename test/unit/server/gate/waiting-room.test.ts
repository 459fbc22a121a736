import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import test from 'ava';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { TIME_LIMIT_MS, WaitingRoom } from '../../../../src/server/gate/waiting-room.ts';
import { loopback } from './gates.ts';

/** A connection whose two ends are always the same. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 4711;
  readonly localAddress = '127.0.0.1';
  isReset = false;

  resetAndDestroy(): void {
    this.isReset = true;
    this.emit('close');
  }
}

function enter(room: WaitingRoom): FakeSocket {
  const socket = new FakeSocket();
  room.enter(socket as unknown as Socket, loopback);
  return socket;
}

// whoever resets a connection and opens it anew from the same port can be there before we hear of the reset
for (const kept of [false, true]) {
  test(`an end that is told late ends no other's wait${kept ? ', proven or not' : ''}`, (t) => {
    const clock = new FakeClock();
    const room = new WaitingRoom(clock);
    const first = enter(room);
    if (kept) room.keep('127.0.0.1 4711 127.0.0.1');
    const second = enter(room);
    t.is(room.size, 1);
    first.emit('close');
    t.is(room.size, 1, 'the second waits still');
    clock.advance(TIME_LIMIT_MS);
    t.true(second.isReset);
    t.is(room.size, 0);
  });
}

test('one that has left has no limit any more', (t) => {
  const clock = new FakeClock();
  const room = new WaitingRoom(clock);
  const socket = enter(room);
  room.leave('127.0.0.1 4711 127.0.0.1');
  clock.advance(TIME_LIMIT_MS);
  t.false(socket.isReset);
});
