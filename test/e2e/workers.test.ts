// The network of test/support/topology.ts: a client behind a NAT, and a server that reads knocks in several threads.
import { netTest } from '../support/capabilities.ts';
import { ask, deploy, servicePort } from '../support/deployment.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

interface Status {
  readonly listen: readonly string[];
  readonly modes: { readonly workers: Readonly<Record<string, number>> };
}

netTest('several threads read knocks at all addresses of the server', async (t) => {
  const { server, client, neighbour, daemon } = await deploy(t, {
    hosts: [addresses.server, addresses.server6],
    configure: (text) => text.replace('workers = 1', 'workers = 3'),
  });
  for (const address of [addresses.server, addresses.server6]) {
    t.not(await visit(client, { address, port: servicePort }), welcome);
    const { stdout } = await client.hknock(['knock', address, '--json']);
    t.like(JSON.parse(stdout), { granted: true, server: address });
    t.is(await visit(client, { address, port: servicePort }), welcome);
    t.is(await visit(neighbour, { address, port: servicePort }), 'no answer');
  }
  const { modes } = (await ask(server, 'status')) as Status;
  t.like(modes.workers, { threads: 2, crashed: 0 });
  await daemon.end();
  t.is(daemon.child.exitCode, 0);
});
