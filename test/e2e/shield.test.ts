// The network of test/support/topology.ts: a client behind a NAT, and a server.
import type { ExecutionContext } from 'ava';
import { Shield } from '../../src/firewall/nftables/shield.ts';
import { type FloodLimits, floodLimits } from '../../src/units/flood-limits.ts';
import type { Port } from '../../src/units/network.ts';
import { netTest } from '../support/capabilities.ts';
import { ask, deploy, enrol, knock } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';
import type { Machine } from '../support/machine.ts';
import { cleanUp, link, Namespace, until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';

interface Status {
  readonly datagrams: { readonly received: number };
  readonly modes: { readonly shield: Readonly<Record<'tags' | 'stranger' | 'expected', number>> };
}

async function statusOf(server: Machine): Promise<Status> {
  return (await ask(server, 'status')) as Status;
}

/** Sends datagrams of random bytes, as long as a Request, to the knock port. */
async function sendGarbage(machine: Machine, count: number): Promise<void> {
  await machine.place.exec(inline(flood, addresses.server, String(count)));
}

async function flood(address: string, count: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const { randomBytes } = await import('node:crypto');
  const socket = createSocket('udp4');
  for (let i = 0; i < Number(count); i++) {
    await new Promise((sent) => {
      socket.send(randomBytes(100), 62_202, address, sent);
    });
  }
  socket.close();
}

netTest('strangers’ datagrams end in the kernel, and peers get through as they come', async (t) => {
  const { server, client, neighbour } = await deploy(t);
  await sendGarbage(client, 50);
  await until(async () => (await statusOf(server)).modes.shield.stranger === 50, 'the count');
  t.is((await statusOf(server)).datagrams.received, 0);
  t.true((await knock(client)).granted);

  await enrol(server, neighbour, { peer: 'bob', services: 'web' });
  await until(async () => (await statusOf(server)).modes.shield.tags === 2, 'the new tag');
  t.true((await knock(neighbour)).granted);
  const { received } = (await statusOf(server)).datagrams;
  await server.hknock(['peer', 'revoke', 'bob']);
  t.false((await knock(neighbour)).granted);
  t.is((await statusOf(server)).datagrams.received, received, 'nothing of bob comes through');
  // a Response to a Challenge, and then, from an address that a Grant went to, a Request and a Response
  await until(
    async () => (await statusOf(server)).modes.shield.expected >= 3,
    'what the kernel saw the server answer',
  );
});

netTest('nothing is left when the server has ended', async (t) => {
  const { server, daemon } = await deploy(t);
  t.regex((await server.place.exec(['nft', 'list', 'tables'])).stdout, /hknock_shield/);
  await daemon.end();
  t.is((await server.place.exec(['nft', 'list', 'tables'])).stdout, '');
});

const lengths = {
  received: [100, 222, 72, 1037],
  response: [222, 1037],
  challenge: 100,
  grant: 126,
};

/** A shield in a namespace of its own. */
async function shielded(t: ExecutionContext) {
  const place = await Namespace.create('shield');
  cleanUp(t, () => place.remove());
  const shield = new Shield({ ports: [62_202 as Port], lengths }, place.argv(['nft']));
  const elements = async (): Promise<number> => {
    const list = ['nft', 'list', 'set', 'inet', 'hknock_shield', 'tags'];
    const { stdout } = await place.exec(list, { allowFailure: true });
    return stdout.match(/0x/g)?.length ?? 0;
  };
  return { place, shield, elements };
}

function tagsFrom(first: number, count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, at) => {
    const tag = Buffer.alloc(8, 0xa5);
    tag.writeUInt32BE(first + at);
    return tag;
  });
}

netTest('tags come and go, more than there was room for at first', async (t) => {
  const { shield, elements } = await shielded(t);
  await shield.replace(tagsFrom(0, 3));
  t.is(await elements(), 3);
  await shield.replace(tagsFrom(2, 70_000));
  t.is(shield.size, 70_000);
  await shield.replace(tagsFrom(0, 2));
  t.is(await elements(), 2);
});

netTest('a table that is gone is put back, with its tags', async (t) => {
  const { place, shield, elements } = await shielded(t);
  await shield.replace(tagsFrom(0, 3));
  t.like(await shield.counts(), { stranger: 0 });
  await place.exec(['nft', 'flush', 'ruleset']);
  t.is(await shield.counts(), null);
  await shield.restore();
  t.is(await elements(), 3);
});

netTest(
  'a change that the kernel does not take leaves no shield, and so keeps nobody out',
  async (t) => {
    const { place, shield } = await shielded(t);
    await shield.replace(tagsFrom(0, 3));
    await place.exec(['nft', 'delete', 'table', 'inet', 'hknock_shield']);
    await t.throwsAsync(shield.replace(tagsFrom(0, 4)), { message: /does not take the shield/ });
    t.is(shield.size, 0);
    t.is((await place.exec(['nft', 'list', 'tables'])).stdout, '');
  },
);

const tag = Buffer.alloc(8, 0x5a);
const otherTag = Buffer.alloc(8, 0xa5);

/** What is not looked at in a test is never too much. */
const generous = Object.fromEntries(
  Object.keys(floodLimits).map((name) => [name, { perSecond: 100_000, burst: 100_000 }]),
) as FloodLimits;

const few = { perSecond: 1, burst: 10 };

interface Sending {
  readonly from?: string;
  readonly fromPort?: number;
  readonly to?: string;
  readonly port?: number;
  readonly tag?: Buffer;
  readonly length?: number;
  readonly count?: number;
  readonly same?: boolean;
}

/** A responder's place behind shields of different limits, and a client who sends datagrams that are right but for their seals. */
async function besieged(t: ExecutionContext) {
  const [client, server] = [await Namespace.create('client'), await Namespace.create('server')];
  cleanUp(t, () => client.remove());
  cleanUp(t, () => server.remove());
  const ours = ['192.0.2.1/24', '192.0.2.2/24', '2001:db8::1/64', '2001:db8::2/64'];
  await link(client, ours, server, ['192.0.2.9/24', '2001:db8::9/64']);
  const behind = `table inet behind {
    counter arrived {}
    chain input { type filter hook input priority filter; udp dport 62202 counter name arrived; }
  }`;
  await server.exec(['nft', '-f', '-'], { input: behind });
  const deliver = (at: Namespace, { tag: first = tag, ...sending }: Sending): Promise<unknown> =>
    at.exec(inline(sendMany, JSON.stringify({ ...sending, tag: first.toString('hex') })));
  const reset = ['nft', 'reset', 'counter', 'inet', 'behind', 'arrived'];
  return {
    install: async (limits: Partial<FloodLimits>, entries?: number): Promise<Shield> => {
      const options = { ports: [62_202 as Port], lengths, limits: { ...generous, ...limits } };
      const shield = new Shield({ ...options, ...(entries && { entries }) }, server.argv(['nft']));
      await shield.replace([tag, otherTag]);
      return shield;
    },
    /** Sends to the knock port; gives how many came through. */
    knock: async (sending: Sending): Promise<number> => {
      await server.exec(reset);
      await deliver(client, { to: '192.0.2.9', port: 62_202, ...sending });
      return Number(/packets (\d+)/.exec((await server.exec(reset)).stdout)?.[1]);
    },
    /** Sends from the knock port. */
    answer: (sending: Sending) => deliver(server, { fromPort: 62_202, ...sending }),
  };
}

async function sendMany(text: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const { randomBytes } = await import('node:crypto');
  const asked = JSON.parse(text) as Sending & { readonly tag: string };
  const { from, fromPort = 0, to = '', port, length = 100, count = 1, same = false } = asked;
  const make = (): Buffer =>
    Buffer.concat([Buffer.from(asked.tag, 'hex'), randomBytes(length - 8)]);
  const first = make();
  const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((bound) => {
    socket.bind(fromPort, from, bound);
  });
  for (let i = 0; i < count; i++) {
    await new Promise((sent) => {
      socket.send(same ? first : make(), port, to, sent);
    });
  }
  socket.close();
}

netTest('each step drops what it is for, and counts it', async (t) => {
  const { install, knock: send } = await besieged(t);
  const calm = await install({});
  t.is(await send({ count: 50 }), 50, 'positive control');
  t.is(await send({ tag: Buffer.alloc(8), count: 5 }), 0);
  t.is(await send({ length: 101, count: 6 }), 0);
  t.like(await calm.counts(), { stranger: 5, length: 6, repeated: 0, busy: 0, tag: 0, crowd: 0 });

  const copies = await install({ copies: { perSecond: 1, burst: 4 } });
  t.true((await send({ count: 50, same: true })) < 50);
  t.is(await send({ count: 50 }), 50);
  t.true(((await copies.counts())?.repeated ?? 0) > 0);

  const sources = await install({ source: few, busy: few });
  t.true((await send({ from: '192.0.2.1', count: 50 })) < 50);
  t.is(await send({ from: '192.0.2.2', count: 5 }), 5, 'another source');
  t.true((await send({ from: '2001:db8::1', to: '2001:db8::9', count: 50 })) < 50);
  t.true((await send({ from: '2001:db8::2', to: '2001:db8::9', count: 50 })) < 50, 'one /64');
  t.true(((await sources.counts())?.busy ?? 0) > 0);

  const tags = await install({ tag: few });
  t.true((await send({ count: 50 })) < 50);
  t.is(await send({ tag: otherTag, count: 5 }), 5, 'another tag');
  t.is(await send({ length: 222, count: 5 }), 5, 'another message');
  t.true(((await tags.counts())?.tag ?? 0) > 0);
});

netTest('when the crowd is too large, those get through whom the server answered', async (t) => {
  const { install, knock: send, answer } = await besieged(t);
  const shield = await install({ crowd: few, awaited: { perSecond: 1, burst: 3 } });
  t.true((await send({ count: 50 })) < 50);
  const crowd = { from: '192.0.2.1', count: 50 };
  t.true((await send(crowd)) < 50, 'positive control');

  await answer({ to: '192.0.2.1', port: 4000, length: 126 });
  t.is(await send(crowd), 50, 'a Grant went there');
  t.true((await send({ ...crowd, from: '192.0.2.2' })) < 50);
  await answer({ to: '2001:db8::1', port: 4000, length: 126 });
  t.is(await send({ from: '2001:db8::2', to: '2001:db8::9', count: 50 }), 50, 'to its /64');

  const response = { from: '192.0.2.2', fromPort: 4000, length: 222 };
  await answer({ to: '192.0.2.2', port: 4000, length: 100 });
  const before = (await shield.counts())?.expected ?? 0;
  t.is(await send(response), 1, 'a Challenge went there');
  t.is((await shield.counts())?.expected, before + 1);
  await send({ ...response, fromPort: 4001 });
  await send({ ...response, length: 100 });
  t.is((await shield.counts())?.expected, before + 1, 'to that port, for a Response');
  t.true((await send({ ...response, count: 50 })) < 50, 'and not for a flood of them');
});

netTest('what a full table has no room for passes, and is counted', async (t) => {
  const { install, knock: send } = await besieged(t);
  const shield = await install({}, 4);
  t.is(await send({ count: 20 }), 20);
  t.true(((await shield.counts())?.unlearned ?? 0) >= 16);
});
