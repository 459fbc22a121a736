// A carrier that gives a client's connections another public address than its datagrams:
//
//   client 192.168.7.2 --- nat (UDP as 198.51.100.1, TCP as 198.51.100.9) --- 198.51.100.2 server
import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy, edit, knock } from '../support/deployment.ts';
import { withGate } from '../support/gate.ts';
import { interfaceTo } from '../support/netns.ts';
import { addresses, type Topology } from '../support/topology.ts';

async function splitProtocols({ nat, server }: Topology): Promise<void> {
  const other = '198.51.100.9';
  await nat.exec(['ip', 'addr', 'add', `${other}/24`, 'dev', interfaceTo(server)]);
  const rule = `ip saddr ${addresses.client} ip protocol tcp snat ip to ${other}`;
  await nat.exec(['nft', 'insert', 'rule', 'inet', 'nat', 'postrouting', ...rule.split(' ')]);
}

netTest('a client whose connections have another public address than its knock', async (t) => {
  const { server, client, topology, daemon } = await deploy(t, {
    configure: (text) => withGate(text).replace('admission = "gate"', 'admission = "once"'),
  });
  await splitProtocols(topology);
  t.like(await knock(client), { granted: true, observedAddress: addresses.public });
  const refused = await Promise.all(
    ['once', 'gate'].map((admission) =>
      client.hknock(['connect', 'gate', '--admission', admission], { allowFailure: true }),
    ),
  );
  for (const { code, stdout, stderr } of refused) {
    t.like({ code, stdout }, { code: 69, stdout: '' }, 'control: the grant is for the knock’s');
    t.regex(stderr, /connections leave your network from another address/);
  }

  await daemon.end();
  edit(server, (text) => text.replace('any_address = false', 'any_address = true'));
  await server.serve();
  const conversation = await Conversation.begin(client, '--admission', 'gate');
  await conversation.say('hello');
  t.is(await conversation.end(), 0);
});
