import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { systemCode } from '../../errors/system-code.ts';
import type { Clock } from '../../host/clock.ts';
import type { WatchedPorts } from '../../sequence/scheme.ts';

/** A capture that has been given a packet to write ends within milliseconds; on a busy machine in some more. */
const TRIES = 10;
const PAUSE_MS = 200;

/**
 * Starts a capture though one of an earlier run may still have the log group. A tcpdump whose reader was killed ends when it
 * has a packet to write, so it is given one: the earlier run's rules are still there as well, and hand it on.
 * @throws what `start` threw last
 */
export async function startAfterLeftover<Capture>(
  start: () => Promise<Capture>,
  { watched, clock }: { readonly watched: readonly WatchedPorts[]; readonly clock: Clock },
): Promise<Capture> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (fault) {
      const isMissing = fault instanceof Error && systemCode(fault.cause) === 'ENOENT';
      if (isMissing || tries === TRIES) throw fault;
      for (const each of watched) touch(each);
      await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
    }
  }
}

/** Sends one packet of this machine's to itself. */
function touch({ protocol, first: port }: WatchedPorts): void {
  const host = '127.0.0.1';
  if (protocol === 'icmp') return;
  if (protocol === 'udp') {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined).send(Uint8Array.of(0), port, host, () => socket.close());
    return;
  }
  const socket = connect({ host, port }).on('error', () => undefined);
  setImmediate(() => socket.destroy());
}
