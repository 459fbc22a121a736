// The network of test/support/topology.ts: a client behind a NAT, and a server.
import type { ExecutionContext } from 'ava';
import { Shield } from '../../src/firewall/nftables/shield.ts';
import type { Port } from '../../src/units/network.ts';
import { netTest } from '../support/capabilities.ts';
import { ask, deploy, enrol, knock } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';
import type { Machine } from '../support/machine.ts';
import { cleanUp, Namespace, until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';

interface Status {
  readonly datagrams: { readonly received: number };
  readonly modes: { readonly shield: { readonly tags: number; readonly dropped: number } };
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
  await until(async () => (await statusOf(server)).modes.shield.dropped === 50, 'the count');
  t.is((await statusOf(server)).datagrams.received, 0);
  t.true((await knock(client)).granted);

  await enrol(server, neighbour, { peer: 'bob', services: 'web' });
  await until(async () => (await statusOf(server)).modes.shield.tags === 2, 'the new tag');
  t.true((await knock(neighbour)).granted);
  const { received } = (await statusOf(server)).datagrams;
  await server.hknock(['peer', 'revoke', 'bob']);
  t.false((await knock(neighbour)).granted);
  t.is((await statusOf(server)).datagrams.received, received, 'nothing of bob comes through');
});

netTest('nothing is left when the server has ended', async (t) => {
  const { server, daemon } = await deploy(t);
  t.regex((await server.place.exec(['nft', 'list', 'tables'])).stdout, /hknock_shield/);
  await daemon.end();
  t.is((await server.place.exec(['nft', 'list', 'tables'])).stdout, '');
});

/** A shield in a namespace of its own. */
async function shielded(t: ExecutionContext) {
  const place = await Namespace.create('shield');
  cleanUp(t, () => place.remove());
  const shield = new Shield([62_202 as Port], place.argv(['nft']));
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
  t.deepEqual(await shield.counts(), { dropped: 0 });
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
