import { connect, type Socket } from 'node:net';
import type { FramedStream } from '../../admission/gate/framed-stream.ts';
import type { Endpoint } from '../../units/network.ts';
import { type Announced, proxyHeader } from './proxy-header.ts';

/** Where a connection that came through the gate goes. */
export interface Target {
  readonly endpoint: Endpoint;
  /** Where the connection came from and went to, if the service is to be told. */
  readonly announced: Announced | null;
}

/** After this much silence the system asks whether the other side still is there. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Joins a client to a service: each side's data goes to the other as fast as that takes it, each end of data by itself, and what is broken off
 * on one side is broken off on the other.
 * @param onFault called when the service cannot be reached
 */
export function forward(
  client: FramedStream,
  { endpoint, announced }: Target,
  onFault: (error: Error) => void,
): void {
  const { address: host, port } = endpoint;
  const service = connect({ host, port, allowHalfOpen: true, noDelay: true });
  service.setKeepAlive(true, KEEP_ALIVE_MS);
  service.on('error', (error) => {
    if (service.bytesRead + service.bytesWritten === 0) onFault(error);
  });
  client.on('error', () => undefined); // 'close' tells of the same end
  if (announced !== null) service.write(proxyHeader(announced));
  client.pipe(service);
  service.pipe(client);
  client.once('close', () => {
    if (!isOver(client)) service.resetAndDestroy();
  });
  service.once('close', () => {
    if (!isOver(service)) client.destroy(new Error('the service broke off'));
  });
}

function isOver({ readableEnded, writableFinished }: FramedStream | Socket): boolean {
  return readableEnded && writableFinished;
}
