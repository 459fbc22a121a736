import { netTest } from '../support/capabilities.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const dead = '198.51.100.77';
const { server: first, secondServer: second, server6: first6, secondServer6: second6 } = addresses;

netTest('a server with several addresses answers each from the one that was asked', async (t) => {
  const hosts = [first, second, first6, second6];
  const { client } = await deploy(t, { twoServerAddresses: true, hosts });
  for (const host of hosts) {
    const { stdout } = await client.hknock(['knock', host, 'web', '--json']);
    t.like(JSON.parse(stdout), { granted: true, server: host });
    t.is(await visit(client, { address: host, port: servicePort }), welcome);
  }
});

netTest('of several addresses of a host the one that answers is taken, soon', async (t) => {
  const { client } = await deploy(t, { twoServerAddresses: true, hosts: [dead, second] });
  const knocked = await knock(client);
  t.like(knocked, { granted: true, server: second });
  // one wait of 250 ms for the dead one (RFC 8305); to exhaust it would take 7.75 s
  t.true(knocked.elapsedMs >= 250 && knocked.elapsedMs < 7750, String(knocked.elapsedMs));
  const { stdout } = await client.hknock(['connect', 'gate', 'web']);
  t.is(stdout, `${welcome}\n`);
});
