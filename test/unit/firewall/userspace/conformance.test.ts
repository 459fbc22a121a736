import test from 'ava';
import { createUserspace } from '../../../../src/firewall/userspace/userspace.ts';
import { createSystemClock } from '../../../../src/system/clock.ts';
import type { IpAddress } from '../../../../src/units/network.ts';
import { localAgent } from '../agent.ts';
import { type Bench } from '../bench.ts';
import { conforms } from '../conformance.ts';
import { freePort } from '../../../support/free-port.ts';

let bench: Bench | null = null;

test.before(async () => {
  const ports = [await freePort(), await freePort()] as const;
  const behind = new Map<number, number>();
  for (const port of ports)
    behind.set(port, await localAgent.serve({ address: '127.0.0.1', port: 0 }));
  bench = {
    agent: localAgent,
    sources: { v4: ['127.0.7.1', '127.0.7.2'], v6: ['::1'] },
    server: { v4: '127.0.0.1', v6: '::1' },
    ports,
    closed: ['refused', 'closed', 'silent'],
    protect: (port) => ({
      service: 'echo' as never,
      port,
      upstream: { address: '127.0.0.1' as IpAddress, port: behind.get(port.port) ?? 0 },
    }),
  };
});

conforms({
  name: 'userspace',
  declare: test.serial,
  bench: () => {
    if (bench === null) throw new Error('not set up');
    return bench;
  },
  create: () =>
    createUserspace({
      clock: createSystemClock(),
      listen: ['0.0.0.0' as IpAddress, '::' as IpAddress],
    }),
  can: { once: true, cut: true },
});
