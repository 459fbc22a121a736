import { once } from 'node:events';
import { netTest } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, knock, servicePort } from '../support/deployment.ts';
import { gatePort, withGate } from '../support/gate.ts';
import { inline } from '../support/inline.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { visit } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const gate = { address: addresses.server, port: gatePort };
const service = { address: addresses.server, port: servicePort };

netTest('T-13: through the gate comes the client, and nobody else behind its NAT', async (t) => {
  const { server, client, neighbour } = await deploy(t, { configure: withGate });
  t.is(await visit(neighbour, gate), 'no answer', 'shut without a grant');
  t.like(await knock(client), { granted: true, admission: 'gate', admissionPort: gatePort });
  t.like(await ask(server, 'status'), { gate: { connections: 0 } });
  // the grant is live now, for the address that the neighbour has as well
  t.is(await visit(neighbour, service), 'no answer');
  t.is(await visit(neighbour, gate), 'no answer');
  t.like(await ask(server, 'status'), { gate: { connections: 1, admitted: 0 } });

  const alice = await Conversation.begin(client);
  await alice.say('hello');
  t.is(await alice.end(), 0);
  t.like(await ask(server, 'status'), { gate: { admitted: 1 } });
});

netTest('a neighbour who keeps the gate busy does not keep the client out', async (t) => {
  const { server, client, neighbour } = await deploy(t, { configure: withGate });
  await knock(client);
  const flood = neighbour.start(inline(besiege, addresses.server, String(gatePort)), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(flood, 'spawn');
  const met = async (): Promise<number> => {
    const { gate: seen } = (await ask(server, 'status')) as { gate: { connections: number } };
    return seen.connections;
  };
  await until(async () => (await met()) > 500, 'the flood', 10_000);
  for (let i = 0; i < 3; i++) {
    const alice = await Conversation.begin(client);
    t.is(await alice.end(), 0);
  }
  flood.kill();
});

/** Connects again and again, and says what is no hello. */
async function besiege(host: string, port: string): Promise<void> {
  const { connect } = await import('node:net');
  const again = (): void => {
    connect({ host, port: Number(port) }, function (this: { write(text: string): void }) {
      this.write('let me in');
    })
      .on('error', () => undefined)
      .on('close', again);
  };
  for (let i = 0; i < 200; i++) again();
  return Promise.resolve();
}

netTest('revoke ends what came through the gate', async (t) => {
  const { server, client } = await deploy(t, { configure: withGate });
  const alice = await Conversation.begin(client);
  t.true(await alice.isAlive());
  await server.hknock(['peer', 'revoke', 'alice']);
  await until(() => alice.hasEnded, 'the connection to end');
  t.like(await ask(server, 'status'), { gate: { visitors: 0 } });
});

netTest('close --cut ends it too, and close alone does not', async (t) => {
  const { server, client } = await deploy(t, { configure: withGate });
  const alice = await Conversation.begin(client);
  const grant = await grantOf(server);
  await server.hknock(['close', grant]);
  t.true(await alice.isAlive());
  const again = await Conversation.begin(client);
  await server.hknock(['close', '--cut', await grantOf(server)]);
  await until(() => again.hasEnded && alice.hasEnded, 'the connections to end');
});

async function grantOf(server: Machine): Promise<string> {
  const [grant] = (await ask(server, 'grants')) as readonly { id: string }[];
  return grant?.id ?? '';
}

netTest('the client takes the best that the server accepts, and says which', async (t) => {
  const { client } = await deploy(t, {
    configure: (text) => withGate(text).replace('admission = "gate"', 'admission = "once"'),
  });
  t.like(await knock(client), { admission: 'once' });
  t.like(await knock(client, '--admission', 'gate,once'), { admission: 'gate' });
  const refused = await client.hknock(['knock', 'gate', '--admission', 'address'], {
    allowFailure: true,
  });
  t.is(refused.code, 77);
  t.regex(refused.stderr, /it accepts: /);
});

netTest('with any_address the key alone admits, from whatever address', async (t) => {
  const { server, client, neighbour } = await deploy(t, {
    configure: (text) => withGate(text).replace('any_address = false', 'any_address = true'),
  });
  t.is(await visit(neighbour, gate), 'no answer');
  t.like(await ask(server, 'status'), { gate: { connections: 1 } });
  t.is(await (await Conversation.begin(client)).end(), 0);
});
