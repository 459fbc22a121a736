// T-13: a neighbour behind the client's NAT, who has its address, wants in by its grant (topology.ts draws the network).
import type * as library from '../../src/index.ts';
import { netTest as concurrent } from '../support/capabilities.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import { inline } from '../support/inline.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { talkTo } from '../support/talk.ts';
import { addresses } from '../support/topology.ts';

const { server: address } = addresses;
const { serial: netTest } = concurrent;

/** Fewer ports and more guesses than anybody should allow, so that there is something to count. */
const PORTS = 10_000;
const GUESSES = 300;

/** The neighbour makes more than he is allowed: what he tries before there is a grant does not count. */
const TRIES = 900;

const KNOCKS = 20;

const deployed = forFile((owner) =>
  deploy(owner, {
    configure: (text) =>
      text
        .replace('port_range = "10000-32767"', `port_range = "10000-${String(9999 + PORTS)}"`)
        .replace('port_guesses = 16', `port_guesses = ${String(GUESSES)}`)
        .replace('peer_knocks_burst = 50', 'peer_knocks_burst = 1000')
        .replace('source_knocks_burst = 100', 'source_knocks_burst = 1000'),
  }),
);

netTest('control: with admission once the neighbour gets in', async (t) => {
  const { client, neighbour } = await deployed();
  t.true((await knock(client, '--admission', 'once')).granted);
  t.is(await visit(neighbour, { address, port: servicePort }), welcome);
});

netTest('port: not by the plain port, nor by the secret one when it was used', async (t) => {
  const { client, neighbour } = await deployed();
  const { granted, admissionPort: port = 0 } = await knock(client, '--admission', 'port');
  t.true(granted);
  t.is(await visit(neighbour, { address, port: servicePort }), 'no answer');
  t.is(
    await visit(neighbour, { address, port: port === 10_000 ? port + 1 : port - 1 }),
    'connection refused',
  );
  t.is(await visit(client, { address, port }), welcome);
  t.is(await visit(neighbour, { address, port }), 'connection refused');
  t.is(await visit(client, { address, port }), 'connection refused');
});

netTest('bound: not by the plain port, with whatever number his system takes', async (t) => {
  const { client, neighbour } = await deployed();
  t.true((await knock(client, '--admission', 'bound')).granted);
  t.is(await visit(neighbour, { address, port: servicePort }), 'no answer');
  const { stdout } = await client.hknock(['connect', 'gate', '--admission', 'bound']);
  t.is(stdout, `${welcome}\n`);
  t.is(await visit(neighbour, { address, port: servicePort }), 'no answer');
});

netTest('port: how often a neighbour who guesses at full speed gets in', async (t) => {
  const { client, neighbour, daemon } = await deployed();
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const knocker = talkTo(
    client.start(inline(knockOnDemand, index), { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const guesser = talkTo(
    neighbour.start(inline(guessOnDemand, address), { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const guess = (...ports: readonly number[]) => guesser(ports.join(' ')).then(Number);

  const secret = Number(await knocker('knock'));
  t.is(await guess(secret), secret, 'control: who knows the port gets in');

  // the next grant is for the next round only: what the neighbour left of this one is closed
  let rounds = 0;
  const closed = async (): Promise<void> => {
    rounds++;
    const isTold = (): boolean => daemon.log.split('guesses at ports').length > rounds;
    while (!isTold()) {
      await until(isTold, 'the grants to be closed', 5000).catch(() => guess(...randomPorts()));
    }
  };
  let stolen = 0;
  for (let i = 0; i < KNOCKS; i++) {
    await knocker('knock');
    if ((await guess(...randomPorts())) !== 0) stolen++;
    await closed();
  }
  let [reached, lost] = [0, 0];
  for (let i = 0; i < KNOCKS; i++) {
    const [got, theirs] = await Promise.all([knocker('connect'), guess(...randomPorts())]);
    if (got === 'in') reached++;
    if (theirs !== 0) lost++;
    await closed();
  }
  const expected = (KNOCKS * GUESSES) / PORTS;
  t.log(
    `${String(GUESSES)} guesses among ${String(PORTS)} ports: the neighbour got in at ${String(stolen)} of ${String(KNOCKS)} knocks when the client did not connect, calculated ${String(expected)}`,
  );
  t.log(
    `when it connected at once: the neighbour at ${String(lost)}, the client at ${String(reached)} of ${String(KNOCKS)}`,
  );
  t.log(
    `as configured by default, 16 among 22768: calculated ${((100 * 16) / 22_768).toFixed(2)} %`,
  );
  // so few successes are distributed as Poisson says: more than the mean and eight deviations come once in a million runs
  const deviation = Math.sqrt(expected * (1 - GUESSES / PORTS));
  t.true(stolen <= expected + 8 * deviation);
  t.true(lost <= expected + 8 * deviation);
  // how often he only spends the guesses before the client is there is a matter of the machine
  t.true(reached > 0);
});

/** Different ports of the range, in random order. */
function randomPorts(): readonly number[] {
  const ports = Array.from({ length: PORTS }, (_, i) => 10_000 + i);
  for (let i = 0; i < TRIES; i++) {
    const j = i + Math.floor(Math.random() * (PORTS - i));
    [ports[i], ports[j]] = [ports[j] ?? 0, ports[i] ?? 0];
  }
  return ports.slice(0, TRIES);
}

/** `knock` gives the secret port, `connect` says whether it got in by it. */
async function knockOnDemand(path: string): Promise<void> {
  const { knock: ask, connectGranted, ProfileStore } = (await import(path)) as typeof library;
  const { createInterface: linesOf } = await import('node:readline');
  const events = await import('node:events');
  const [profile] = await new ProfileStore().list();
  if (profile === undefined) throw new Error('no profile');
  for await (const order of linesOf(process.stdin)) {
    const grant = await ask(profile, { admission: 'port' });
    if (!grant.granted) throw new Error(grant.reason);
    if (order === 'knock') console.log(grant.admissionPort);
    else {
      const result = await connectGranted(grant)
        .then((socket) => events.default.once(socket, 'data').then(() => socket.destroy()))
        .then(
          () => 'in',
          () => 'out',
        );
      console.log(result);
    }
  }
}

/** Connects to all the ports of a line as fast as it can, and gives the one that greets, or 0. */
async function guessOnDemand(host: string): Promise<void> {
  const { connect } = await import('node:net');
  const { createInterface: linesOf } = await import('node:readline');
  const guess = (port: number): Promise<number> =>
    new Promise((resolve) => {
      const socket = connect({ host, port });
      socket.once('data', () => {
        resolve(port);
        socket.destroy();
      });
      socket
        .on('error', () => undefined)
        .once('close', () => {
          resolve(0);
        });
    });
  for await (const line of linesOf(process.stdin)) {
    const found = await Promise.all(line.split(' ').map(Number).map(guess));
    console.log(Math.max(...found));
  }
}
