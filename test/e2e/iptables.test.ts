// The network of test/support/topology.ts: client and neighbour behind one NAT, and a server.
import { netTest } from '../support/capabilities.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

netTest(
  'with iptables and ipset a knock lets one connection in, and nothing is left',
  async (t) => {
    const backend = (text: string): string => text.replace('"nftables"\n', '"iptables"\n');
    const { server, client, neighbour, daemon } = await deploy(t, { configure: backend });
    const target = { address: addresses.server, port: servicePort };
    t.is(await visit(client, target), 'no answer');
    t.like(await knock(client), { granted: true, admission: 'once' });
    t.is(await visit(client, target), welcome);
    t.is(await visit(neighbour, target), 'no answer');
    await daemon.end();
    t.notRegex((await server.place.exec(['iptables-save'])).stdout, /HKNOCK/);
    t.is((await server.place.exec(['ipset', 'list', '-n'])).stdout, '');
  },
);
