import { netTest } from '../support/capabilities.ts';
import { ask, deploy, knock } from '../support/deployment.ts';
import { until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';
import { startEcho, UdpFlow } from '../support/udp-flow.ts';

/** Two UDP services: flows keep grants for the one as long as they live, for the other 6 s. */
const services = { kept: 5300, capped: 5301 };

const configuration = `
[services.kept]
ports = ["udp/5300"]
admission = "address"
ttl = "3s"

[services.capped]
ports = ["udp/5301"]
admission = "address"
ttl = "3s"
flow_keep = "6s"
`;

for (const backend of ['nftables', 'iptables']) {
  netTest(
    `${backend}: a grant for a UDP service lives as long as its flow, and no longer than policy says`,
    async (t) => {
      const { server, client, daemon } = await deploy(t, {
        services: 'kept,capped',
        configure: (text) => text.replace('"nftables"\n', `"${backend}"\n`) + configuration,
      });
      // the kernel forgets a silent flow after four seconds, not after two minutes
      const timeouts = ['udp_timeout', 'udp_timeout_stream'].map(
        (name) => `net.netfilter.nf_conntrack_${name}=4`,
      );
      await server.place.exec(['sysctl', '-q', '-w', ...timeouts]);
      const granted = async (): Promise<readonly string[]> => {
        const grants = (await ask(server, 'grants')) as readonly { service: string }[];
        return grants.map(({ service }) => service).sort();
      };
      const begin = async (service: keyof typeof services): Promise<UdpFlow> => {
        // begun before the door is open, which is not for long
        const flow = new UdpFlow(client, addresses.server, services[service]);
        t.like(await knock(client, service), { granted: true, admission: 'address' });
        await until(() => flow.answers > 0, 'an answer', 30_000);
        return flow;
      };
      for (const port of Object.values(services)) await startEcho(server, port);

      const kept = await begin('kept');
      const capped = await begin('capped');
      await until(async () => !(await granted()).includes('capped'), 'its time to be over', 30_000);
      const before = capped.answers;
      await until(() => capped.answers > before + 5, 'the flow to go on all the same', 30_000);
      t.deepEqual(await granted(), ['kept']);
      const stranger = new UdpFlow(client, addresses.server, services.kept);
      await until(() => stranger.answers > 0, 'another flow by the same grant', 30_000);
      stranger.end();

      kept.end();
      await until(
        async () => (await granted()).length === 0,
        'the grant to end with the flow',
        30_000,
      );
      const late = new UdpFlow(client, addresses.server, services.capped);
      const more = capped.answers;
      await until(() => capped.answers > more + 5, 'a second', 30_000);
      t.is(late.answers, 0);
      await daemon.writes(/ kept .*service=kept/);
    },
  );
}
