import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, knock, servicePort } from '../support/deployment.ts';
import { gatePort, withGate } from '../support/gate.ts';
import { forFile } from '../support/for-file.ts';
import { inline } from '../support/inline.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { visit } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const gate = { address: addresses.server, port: gatePort };
const deployed = forFile((owner) => deploy(owner, { configure: withGate }));

const service = { address: addresses.server, port: servicePort };

netTest.serial(
  'T-13: through the gate comes the client, and nobody else behind its NAT',
  async (t) => {
    const { server, client, neighbour } = await deployed();
    t.is(await visit(neighbour, gate), 'no answer', 'shut without a grant');
    t.like(await knock(client), { granted: true, admission: 'gate', admissionPort: gatePort });
    t.like(await counters(server), { connections: 0 });
    // the grant is live now, for the address that the neighbour has as well
    t.is(await visit(neighbour, service), 'no answer');
    t.is(await visit(neighbour, gate), 'no answer');
    t.like(await counters(server), { connections: 1, admitted: 0 });

    const alice = await Conversation.begin(client);
    await alice.say('hello');
    t.is(await alice.end(), 0);
    t.like(await counters(server), { admitted: 1 });

    t.regex((await server.hknock(['doctor'])).stdout, /ok +the kernel shuts the gate's port/);
    const powerless = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin'];
    const looked = await server.run([...powerless, ...server.argv('doctor')], {
      allowFailure: true,
    });
    t.regex(looked.stdout, /warn +cannot see that the gate's port is shut/);

    const siege = neighbour.start(inline(besiege, addresses.server, String(gatePort)));
    const met = async (): Promise<number> => (await counters(server))['connections'] ?? 0;
    await until(async () => (await met()) > 500, 'the siege', 20_000);
    // of those of one address who have said nothing the oldest is turned away, which a slow client may be once
    let entered = 0;
    for (let tries = 0; entered < 3 && tries < 10; tries++) {
      const conversation = await Conversation.begin(client).catch(() => null);
      if ((await conversation?.end()) === 0) entered++;
    }
    t.is(entered, 3);
    siege.kill();
  },
);

/** Connects 200 times at once, again and again, and says what is no hello. */
async function besiege(host: string, port: string): Promise<void> {
  const { connect } = await import('node:net');
  const again = (): void => {
    const socket = connect({ host, port: Number(port) });
    socket.on('error', () => undefined).on('close', () => setTimeout(again, 50));
    socket.write('let me in');
  };
  for (let i = 0; i < 200; i++) again();
}

netTest.serial(
  'a cut and a revocation end what came through the gate, a close does not',
  async (t) => {
    const { server, client } = await deployed();
    const { admitted = 0 } = await counters(server);
    const first = await Conversation.begin(client);
    await server.hknock(['close', await grantOf(server)]);
    t.true(await first.isAlive());
    const second = await Conversation.begin(client);
    await server.hknock(['close', '--cut', await grantOf(server)]);
    await until(() => first.hasEnded && second.hasEnded, 'the connections to end');

    const third = await Conversation.begin(client);
    await server.hknock(['peer', 'revoke', 'alice']);
    await until(() => third.hasEnded, 'the connection to end');
    t.like(await counters(server), { admitted: admitted + 3, visitors: 0 });
  },
);

netTest.serial(
  'with any_address the key alone admits; the client takes the best it can get',
  async (t) => {
    const { server, client, neighbour } = await deploy(t, {
      configure: (text) =>
        withGate(text)
          .replace('admission = "gate"', 'admission = "once"')
          .replace('any_address = false', 'any_address = true'),
    });
    t.is(await visit(neighbour, gate), 'no answer');
    t.like(await counters(server), { connections: 1 }, 'open to all, and silent');
    t.like(await knock(client), { admission: 'once' });
    const alice = await Conversation.begin(client, '--admission', 'gate,once');
    t.is(await alice.end(), 0);
    t.like(await counters(server), { admitted: 1 });
  },
);

async function counters(server: Machine): Promise<Readonly<Record<string, number>>> {
  const { gate: seen } = (await ask(server, 'status')) as { gate: Record<string, number> };
  return seen;
}

/** The latest of the live grants. */
async function grantOf(server: Machine): Promise<string> {
  const grants = (await ask(server, 'grants')) as readonly { id: string }[];
  return grants.at(-1)?.id ?? '';
}
