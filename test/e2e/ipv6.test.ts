import { netTest } from '../support/capabilities.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

netTest('a knock over IPv6 opens for that IPv6 address and for nothing else', async (t) => {
  const { client, neighbour } = await deploy(t, { hosts: [addresses.server6] });
  const [over4, over6] = [addresses.server, addresses.server6].map((address) => ({
    address,
    port: servicePort,
  })) as [{ address: string; port: number }, { address: string; port: number }];
  t.like(await knock(client), {
    granted: true,
    server: addresses.server6,
    observedAddress: addresses.client6,
    claimedAddress: addresses.client6,
    behindNat: false,
  });
  t.deepEqual(
    await Promise.all([visit(client, over4), visit(neighbour, over6), visit(neighbour, over4)]),
    ['no answer', 'no answer', 'no answer'],
  );
  t.is(await visit(client, over6), welcome, 'none of these has used it up');
  t.is(await visit(client, over6), 'no answer');
});
