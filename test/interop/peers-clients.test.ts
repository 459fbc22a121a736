// Rows of the README's table of properties, one a test: knockd 0.8 and fwknop 2.6.10 as Debian has them, and hknock, side by
// side on one server behind a firewall that drops by default (peers/doors.ts). A cell says what happened here.
// This part: what clients meet with.
import type { ChildProcess } from 'node:child_process';
import { enrol, knock } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';
import {
  type Doors,
  addStranger,
  callAt,
  doorsOpenTo,
  dropsOf,
  knockPort,
  threeDoors,
} from './peers/doors.ts';
import { newKeys, spaPort } from './peers/fwknop.ts';
import { knockAt, sequences } from './peers/knockd.ts';
import { row } from './peers/row.ts';

row('a client whose clock is ten years off gets in', async (t) => {
  const doors = await threeDoors(t);
  const { client, knockd, fwknop } = doors;
  // times of the kernel's monotonic clock stay right, as on a machine whose clock was set wrongly
  const settings = ['DONT_FAKE_MONOTONIC=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1'];
  const through = ['env', ...settings, 'faketime', '-f', '-10y'];
  await knockd.knock(client, { through });
  await fwknop.knock(client, { through });
  await fwknop.decides('untimely');
  await client.run([...through, ...client.argv('knock', 'gate')]);
  t.deepEqual(await doorsOpenTo(client), { knockd: true, fwknop: false, hknock: true });
});

row('the client is told what became of its knock', async (t) => {
  const { client, neighbour, server, knockd, fwknop } = await threeDoors(t);
  await enrol(server, neighbour, { peer: 'bob', services: 'web' });
  await server.hknock(['peer', 'revoke', 'bob']);
  const tryHknock = (machine: Machine, ...args: readonly string[]) =>
    machine.hknock(['knock', 'gate', ...args], { allowFailure: true });
  const hknockTells = Promise.all([
    tryHknock(client),
    tryHknock(client, '--admission', 'address'),
    tryHknock(neighbour),
  ]);

  const wrong = await knockd.knock(client, { sequence: sequences.alice.toReversed() });
  t.deepEqual(wrong, await knockd.knock(client));
  t.is(wrong.code, 0);
  const unknown = await fwknop.knock(client, { keys: newKeys() });
  await fwknop.decides('unknown');
  t.deepEqual(unknown, await fwknop.open(client));
  t.is(unknown.code, 0);
  const codes = (await hknockTells).map(({ code }) => code);
  t.deepEqual(codes, [0, 77, 69], 'granted; refused; a stranger');
});

row('one stray packet makes a knock fail', async (t) => {
  const doors = await threeDoors(t);
  const { client, neighbour, knockd, fwknop } = doors;
  const [first, second, third] = sequences.alice;
  await knockd.knock(client, { sequence: [first, second] });
  await knockd.knock(neighbour, { sequence: [first] });
  await knockd.knock(client, { sequence: [third] });
  const strays = await startStrays(neighbour);
  await fwknop.open(client);
  await knock(client);
  t.deepEqual(await doorsOpenTo(client), { knockd: false, fwknop: true, hknock: true });
  t.true(strays.kill(), 'there were strays all the time');
  t.true((await dropsOf(doors.server)).tag > 100);
  await fwknop.decides('unknown');
  await knockd.knock(client);
  t.like(await doorsOpenTo(client), { knockd: true }, 'control: without the stray');
});

row('a knock over IPv6 opens', async (t) => {
  const { client, knockd, fwknop } = await threeDoors(t);
  const address = addresses.server6;
  await knockd.knock(client, { address });
  t.not((await fwknop.knock(client, { address })).code, 0);
  t.not((await fwknop.knock(client, { from: addresses.client6 })).code, 0);
  await client.hknock(['knock', address, 'web']);
  t.deepEqual(await doorsOpenTo(client, address), { knockd: true, fwknop: false, hknock: true });
});

row('one client can be shut out while another keeps its secret', async (t) => {
  const doors = await threeDoors(t);
  const { client: alice, server, knockd, fwknop } = doors;
  const bob = await addStranger(t, doors);
  await enrol(server, bob, { peer: 'bob', services: 'web' });
  await shutAliceOut(doors);
  await knockAt(alice);
  await fwknop.knock(alice);
  await fwknop.decides('unknown');
  alice.start(alice.argv('knock', 'gate'));
  await until(async () => (await dropsOf(server)).tag > 0, 'hknock to drop the Request');

  await knockd.knock(bob, { sequence: sequences.bob });
  await fwknop.open(bob, { keys: fwknop.keys.bob });
  await knock(bob);
  t.deepEqual(await doorsOpenTo(bob), { knockd: true, fwknop: true, hknock: true });
  t.deepEqual(await doorsOpenTo(alice), { knockd: false, fwknop: false, hknock: false });
});

row('a client that is shut out loses the connection that it has', async (t) => {
  const doors = await threeDoors(t);
  const { client, knockd, fwknop } = doors;
  await knockd.knock(client);
  await fwknop.open(client);
  await knock(client);
  const callers = {
    knockd: await callAt(client, 'knockd'),
    fwknop: await callAt(client, 'fwknop'),
    hknock: await callAt(client, 'hknock'),
  };
  for (const caller of Object.values(callers)) await caller.say('hello');
  await shutAliceOut(doors);
  t.true(await callers.knockd.isAlive());
  t.true(await callers.fwknop.isAlive());
  t.false(await callers.hknock.isAlive(1000));
});

async function shutAliceOut({ server, knockd, fwknop }: Doors): Promise<void> {
  await knockd.shutAliceOut();
  await fwknop.shutAliceOut();
  await server.hknock(['peer', 'revoke', 'alice']);
}

/** Has somebody send, all the time, what is no knock, of a length and letters that both daemons have to look at. */
async function startStrays(machine: Machine): Promise<ChildProcess> {
  const program = inline(stray, addresses.server, String(spaPort), String(knockPort));
  const strays = machine.start(program, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of strays.stdout ?? []) if (String(line).includes('ready')) break;
  return strays;
}

async function stray(server: string, ...ports: readonly string[]): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const { randomBytes } = await import('node:crypto');
  const { setInterval } = await import('node:timers');
  const socket = createSocket('udp4');
  setInterval(() => {
    for (const port of ports) socket.send(randomBytes(111).toString('hex'), Number(port), server);
  }, 1);
  console.log('ready');
}
