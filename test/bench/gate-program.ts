// A gate on loopback, alone in its process, before the service whose port is its argument. Admits on request, and tells what it holds.
import { gateKey } from '../../src/admission/gate/gate-key.ts';
import { plainDoor } from '../../src/host/firewall.ts';
import { Gate } from '../../src/server/gate/gate.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { Port } from '../../src/units/network.ts';
import { parseDuration } from '../../src/units/time.ts';
import { freePort } from '../support/free-port.ts';
import { type GateHoldings, type GateOrder, grantId, sessionSecret } from './gate-target.ts';
import { loopback, peerName } from './target.ts';

const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const servicePort = { protocol: 'tcp', port: Number(process.argv[2]) as Port } as const;
const service = parseServiceName('bench');
const port = (await freePort()) as Port;
const listen = [{ address: loopback, port }];
const gate = new Gate({ listen, port, anyAddress: false, clock: createSystemClock(), log });

function admit(number: number): void {
  gate.admit({
    grant: grantId(number),
    peer: peerName,
    service,
    source: loopback,
    ports: [servicePort],
    admission: 'gate',
    door: { ...plainDoor, admissionPort: port, gateKey: gateKey(sessionSecret(number)) },
    lifetimeMs: parseDuration('1h'),
  });
}

function holdings(): GateHoldings {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((each) => /TCPSocket|TLS/.test(each));
  const { admitted = 0, visitors = 0, waiting = 0 } = gate.counters();
  return { rss, heap: heapUsed + external, sockets: sockets.length, admitted, visitors, waiting };
}

process.on('message', ({ order, from, to }: GateOrder) => {
  for (let number = from; number < to; number++) {
    if (order === 'admit') admit(number);
    else if (order === 'end') gate.end(grantId(number));
  }
  process.send?.(order === 'count' ? holdings() : order);
});
process.on('disconnect', () => {
  gate.close();
});
await gate.open();
gate.leadTo([{ service, port: servicePort, upstream: null }]);
process.send?.(port);
