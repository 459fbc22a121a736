// The network of test/support/topology.ts. The neighbour floods over IPv6, where no NAT gives it the client's address.
import type { ChildProcess } from 'node:child_process';
import { deriveKeys } from '../../src/handshake/keys.ts';
import { encodeRequest, encodeRequestBody } from '../../src/handshake/wire/request.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parseServiceName } from '../../src/units/names.ts';
import { netTest } from '../support/capabilities.ts';
import { ask, deploy, knock, servicePort } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';
import type { Daemon, Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

interface Status {
  readonly overload: {
    readonly state: string;
    readonly times: number;
    readonly turnedAway: number;
  };
}

/** Sends a recorded Request over and over, until it is ended. */
async function replay(address: string, hex: string): Promise<void> {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket('udp6');
  const datagram = Buffer.from(hex, 'hex');
  await new Promise<void>((connected) => {
    socket.connect(62_202, address, connected);
  });
  socket.on('error', () => undefined);
  for (;;) {
    for (let i = 1; i < 64; i++) socket.send(datagram);
    await new Promise((sent) => {
      socket.send(datagram, sent);
    });
  }
}

/** What somebody on the way has recorded of alice's knocks. */
async function recordedRequest(server: Machine): Promise<string> {
  const profile = await readProfileFile(server.path('alice.toml'));
  const wish = { claimed: null, service: parseServiceName('web'), admission: null };
  const nonce = createSystemEntropy().bytes(24);
  const request = encodeRequest(deriveKeys(profile), nonce, encodeRequestBody(wish));
  return Buffer.from(request).toString('hex');
}

async function killNft({ child }: Daemon, server: Machine): Promise<void> {
  const find = ['pgrep', '-x', '-P', String(child.pid), 'nft'];
  const { stdout } = await server.place.exec(find);
  process.kill(Number(stdout.trim()), 'SIGKILL');
}

netTest(
  'under a flood that the kernel lets through, who is known gets in; it is said once',
  async (t) => {
    const { server, client, neighbour, daemon } = await deploy(t, {
      configure: (text) => text.replace('shield = true', 'shield = false'),
      ttl: '2m',
    });
    const overload = async () => ((await ask(server, 'status')) as Status).overload;
    t.true((await knock(client)).granted);
    const request = await recordedRequest(server);
    const floods: readonly ChildProcess[] = [1, 2, 3].map(() =>
      neighbour.start(inline(replay, addresses.server6, request), { stdio: 'ignore' }),
    );
    await until(async () => (await overload()).state === 'overloaded', 'the overload', 30_000);
    t.true((await knock(client)).granted);
    await until(
      async () => (await overload()).turnedAway > 0,
      'the crowd to be turned away',
      30_000,
    );

    // and while it lasts nothing of what was granted is lost with the program that keeps it in the kernel
    await killNft(daemon, server);
    t.true((await knock(client)).granted);
    const target = { address: addresses.server, port: servicePort };
    const seen = [
      await visit(client, target),
      await visit(client, target),
      await visit(client, target),
    ];
    t.deepEqual(seen, [welcome, welcome, welcome]);

    for (const flood of floods) flood.kill('SIGKILL');
    await until(async () => (await overload()).state === 'calm', 'the end of it', 30_000);
    const { times } = await overload();
    const said = (words: string): number => daemon.log.split(words).length - 1;
    await until(() => said(' info no longer overloaded') === times, 'the log to say so');
    t.is(said(' warn overloaded'), times);
  },
);
