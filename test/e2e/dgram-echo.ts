import { bindDatagramSocket } from '../../src/dgram-ext/bind.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { parseAddress } from '../../src/bytes/address.ts';
import type { Endpoint } from '../../src/units/network.ts';

// The program under test in dgram-multihomed.test.ts: sends back what comes, on every address, at the port given.

const port = Number(process.argv[2]);
const addresses = ['0.0.0.0', '::'].flatMap((text): Endpoint[] => {
  const address = parseAddress(text);
  return address === null ? [] : [{ address, port }];
});
const socket = await bindDatagramSocket({ addresses, clock: createSystemClock(), rescanMs: 50 });
socket.listen((bytes, remote, local) => {
  socket.send(bytes, remote, local);
});
process.stdout.write('ready\n');
