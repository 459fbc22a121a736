import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Joins two connections: each side's data goes to the other as fast as that takes it, each end of data by itself, and what is broken off
 * on one side is broken off on the other.
 */
export function joinConnections(one: Duplex, other: Duplex): void {
  one.pipe(other);
  other.pipe(one);
  breakTogether(one, other);
  breakTogether(other, one);
}

function breakTogether(one: Duplex, other: Duplex): void {
  one.on('error', () => undefined); // 'close' tells of the same end
  one.once('close', () => {
    const isOver = one.readableEnded && one.writableFinished;
    if (!isOver) breakOff(other);
  });
}

// whoever is at the other end of a plain connection must not take this for the end of the data
function breakOff(stream: Duplex): void {
  if (stream instanceof Socket) stream.resetAndDestroy();
  else stream.destroy(new Error('the other side broke off'));
}
