// Rows of the README's table of properties, one a test: knockd 0.8 and fwknop 2.6.10 as Debian has them, and hknock, side by
// side on one server behind a firewall that drops by default (peers/doors.ts). A cell says what happened here.
// This part: whose addresses a knock lets in.
import { RESPONSE_LENGTH } from '../../src/handshake/wire/response.ts';
import { knock } from '../support/deployment.ts';
import { interfaceTo, until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';
import {
  type Doors,
  addStranger,
  doorsOpenTo,
  dropsOf,
  knockPort,
  strangersAddress,
  threeDoors,
} from './peers/doors.ts';
import { spaPort } from './peers/fwknop.ts';
import { knockAt, sequences } from './peers/knockd.ts';
import { type Packet, Recording, replay } from './peers/recording.ts';
import { row } from './peers/row.ts';

/** All the ports that clients knock at. */
const knockedAt = [...sequences.alice, spaPort, knockPort];

/** There may be a Request more: a client that waits too long repeats it. */
const isResponse = ({ port, payload }: Packet): boolean =>
  port === knockPort && Buffer.from(payload, 'base64').length === RESPONSE_LENGTH;

row('works behind a NAT without the client knowing its public address', async (t) => {
  const doors = await threeDoors(t);
  const { client, knockd, fwknop } = doors;
  const nowhere = { knockd: false, fwknop: false, hknock: false };
  t.deepEqual(await doorsOpenTo(client), nowhere, 'control: before anybody has knocked');
  await knockd.knock(client);
  await fwknop.open(client, { from: addresses.client });
  t.like(await doorsOpenTo(client), { fwknop: false }, 'with the address that it knows');
  await fwknop.open(client);
  t.like(await knock(client), { observedAddress: addresses.public, behindNat: true });
  t.deepEqual(await doorsOpenTo(client), { knockd: true, fwknop: true, hknock: true });
});

row('a recorded knock, sent again from another address, lets that address in', async (t) => {
  const doors = await threeDoors(t);
  const { client, server, knockd, fwknop } = doors;
  const stranger = await addStranger(t, doors);
  const recording = await record(doors);
  await knockd.knock(client);
  await fwknop.open(client);
  t.true((await knock(client)).granted);

  await replay(stranger, addresses.server, await recording.take(knockedAt, 3 + 1 + 2, isResponse));
  await fwknop.decides('replayed');
  await until(async () => (await dropsOf(server)).source > 0, 'hknock to drop the Response');
  t.deepEqual(await doorsOpenTo(stranger), { knockd: true, fwknop: false, hknock: false });
});

row('a knock held back, and sent from another address, lets that address in', async (t) => {
  const doors = await threeDoors(t);
  const { client, server, fwknop } = doors;
  const stranger = await addStranger(t, doors);
  const recording = await record(doors);
  await holdBack(doors);
  await fwknop.knock(client, { from: addresses.public });
  await replay(stranger, addresses.server, await recording.take([spaPort], 1));
  await fwknop.decides('opened');
  t.like(await doorsOpenTo(stranger), { fwknop: false }, 'with the right address in it');

  await knockAt(client);
  await fwknop.knock(client);
  client.start(client.argv('knock', 'gate'));
  await replay(stranger, addresses.server, await recording.take(knockedAt, 3 + 2 + 2, isResponse));
  await fwknop.decides('opened');
  await until(async () => (await dropsOf(server)).source > 0, 'hknock to drop the Response');
  t.deepEqual(await doorsOpenTo(stranger), { knockd: true, fwknop: true, hknock: false });
});

row(
  'somebody on the way, who sends a knock on from another address, is let in there',
  async (t) => {
    const doors = await threeDoors(t);
    const { client, topology, knockd, fwknop } = doors;
    const stranger = await addStranger(t, doors);
    const rule = `inet nat postrouting ip saddr ${addresses.client} snat ip to ${strangersAddress}`;
    await topology.nat.exec(['nft', 'insert', 'rule', ...rule.split(' ')]);
    await knockd.knock(client);
    await fwknop.open(client, { from: addresses.public });
    t.like(await doorsOpenTo(stranger), { fwknop: false }, 'with the right address in it');
    await fwknop.open(client);
    t.like(await knock(client), { observedAddress: strangersAddress }, 'its client can see it');
    t.deepEqual(await doorsOpenTo(stranger), { knockd: true, fwknop: true, hknock: true });
  },
);

row('after the client has connected, a neighbour behind the same NAT gets in', async (t) => {
  const doors = await threeDoors(t);
  const { client, neighbour, knockd, fwknop } = doors;
  await knockd.knock(client);
  await fwknop.open(client, { from: addresses.public });
  await knock(client);
  t.deepEqual(await doorsOpenTo(client), { knockd: true, fwknop: true, hknock: true });
  t.deepEqual(await doorsOpenTo(neighbour), { knockd: true, fwknop: true, hknock: false });
});

/** Writes down what the client sends, as somebody on its way can. */
function record({ topology: { nat, client } }: Doors): Promise<Recording> {
  return Recording.start(nat, interfaceTo(client), addresses.server);
}

/**
 * Lets none of the client's knocks through to the server. Only hknock's first datagram gets there: else its client would
 * never come to prove anything.
 */
async function holdBack({ topology: { nat, client } }: Doors): Promise<void> {
  const input = `
    add rule inet nat forward udp dport ${String(knockPort)} limit rate 1/day burst 1 packets accept
    add rule inet nat forward iifname "${interfaceTo(client)}" drop`;
  await nat.exec(['nft', '-f', '-'], { input });
}
