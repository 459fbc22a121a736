import { type Socket, createSocket } from 'node:dgram';

/**
 * Bytes that may wait in our memory when the system's send buffer is full. More would only leave late:
 * the other side repeats what it misses within 250 ms, and memory must not grow under a flood.
 */
const MAX_QUEUED_BYTES = 65_536;

/** A socket of `node:dgram` that takes addresses only: no name is ever looked up, and none costs a turn of the loop. */
export function openSocket(family: 4 | 6, receiveBufferBytes?: number): Socket {
  return createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    lookup: (address, _options, found) => {
      found(null, address, family);
    },
    ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
  });
}

/** Whether so much waits to be sent that the next datagram must be dropped. */
export function isCongested(socket: Socket): boolean {
  return socket.getSendQueueSize() > MAX_QUEUED_BYTES;
}

/** Closes a socket; resolves when it will call nothing any more. */
export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}
