import { netTestWith } from '../support/capabilities.ts';
import { ask, deploy, type DeploymentOptions, knock } from '../support/deployment.ts';
import { knownAddress, lookUp, question, startDns } from '../support/dns.ts';
import { withGate } from '../support/gate.ts';
import { until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';

/** A DNS server on UDP port 53, and whoever knocks may have it. */
const dns: DeploymentOptions = {
  services: 'dns',
  configure: (text) =>
    `${withGate(text)}\n[services.dns]\nports = ["udp/53"]\nadmission = "port"\nttl = "20s"\n`,
};

netTestWith('dnsmasq')(
  'a DNS server through the gate, and at a secret port, for the client and nobody else behind its NAT',
  async (t) => {
    const deployment = await deploy(t, dns);
    const { server, client, neighbour } = deployment;
    await startDns(server);
    t.is(await lookUp(client, addresses.server), 'no answer');

    const local = '127.0.0.1:5353';
    const args = ['connect', 'gate', 'dns', '--listen', local];
    const here = await client.hknock([...args, '--', ...question(local)]);
    t.is(here.stdout.trim(), knownAddress);
    const atGate = ['connect', 'gate', 'dns', '--admission', 'gate', '--', ...question()];
    t.is((await client.hknock(atGate)).stdout.trim(), knownAddress, 'at a port of its choice');
    t.deepEqual(await ask(server, 'grants'), [], 'closed with the command');

    const relay = client.start(client.argv(...args), { stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    relay.stderr?.setEncoding('utf8').on('data', (text: string) => (told += text));
    await until(() => told.includes(local), 'the local port', 30_000);
    const askers = Array.from({ length: 5 }, () => lookUp(client, local));
    t.deepEqual(
      await Promise.all(askers),
      Array.from(askers, () => knownAddress),
    );
    t.is(await lookUp(neighbour, addresses.server), 'no answer');
    t.like(await ask(server, 'status'), { gate: { admitted: 3, visitors: 1 } });
    // a cut ends what came through the gate, and the program that has it says so
    await server.hknock(['close', '--peer', 'alice', '--cut']);
    await until(() => relay.exitCode !== null, 'connect to end', 30_000);
    t.is(relay.exitCode, 69, told);

    const { admission, admissionPort = 0 } = await knock(client, 'dns');
    t.is(admission, 'port');
    const secret = `${addresses.server}:${String(admissionPort)}`;
    t.is(await lookUp(client, secret), knownAddress);
    t.is(await lookUp(client, secret), 'no answer', 'another flow');
    t.is(await lookUp(client, addresses.server), 'no answer');
  },
);
