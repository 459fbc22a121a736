import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { netTestWith } from '../support/capabilities.ts';
import { ask, deploy, servicePort } from '../support/deployment.ts';
import { here, Machine } from '../support/machine.ts';
import { cleanUp, until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };
const service = `tcp/${String(servicePort)}`;
const test = netTestWith('tcpdump', 'knock', 'ping').serial;

/** What `hknock scheme one-time` writes. */
async function oneTimeFile(t: ExecutionContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'hknock-scheme-'));
  cleanUp(t, () => {
    rmSync(folder, { recursive: true });
  });
  const machine = new Machine(here);
  cleanUp(t, () => machine.remove());
  const path = join(folder, 'one-time.toml');
  const about = ['--peer', 'alice', '--service', 'web', '--count', '3', '--number-port', '10100'];
  await machine.hknock(['scheme', 'one-time', ...about, '--out', path]);
  return readFileSync(path, 'utf8');
}

/** The protocols of the article, at a pace, from a Linux. */
const shared = `kind = "fwknop-shared"
peer = "alice"
service = "web"
sequence = ["tcp/23053", "udp/6020", "icmp", "icmp", "tcp/24034"]
min_delay = "1s"
max_delay = "18s"
require_os = ["*:64:1:60:M*,S,T,N,W*"]
`;

/** For a system that no host here is. */
const foreign = `kind = "fwknop-shared"
peer = "alice"
service = "web"
sequence = ["tcp/25053", "tcp/25054", "tcp/25055"]
require_os = ["8192:128:1:52:M*,N,W8,N,N,S"]
`;

const encrypted = `kind = "fwknop-encrypted"
peer = "alice"
key = "${Buffer.alloc(16, 7).toString('base64url')}"
user = "mbr"
`;

/** Waits until a counter of the mode has reached a number. */
async function reaches(
  server: Machine,
  counter: string,
  count: number,
  deadlineMs = 30_000,
): Promise<void> {
  await until(
    async () => {
      const { modes } = (await ask(server, 'status')) as {
        readonly modes: { readonly sequence: Readonly<Record<string, number>> };
      };
      return (modes.sequence[counter] ?? -1) >= count;
    },
    `${counter} to be ${String(count)}`,
    deadlineMs,
  );
}

test('fwknop’s sequences, encrypted for a third party, and shared with a fingerprint; a file of sequences for one use, told by the server', async (t) => {
  const oneTime = await oneTimeFile(t);
  const schemes = { encrypted, shared, foreign, 'one-time': oneTime };
  const { server, client, neighbour, daemon } = await deploy(t, { schemes });
  for (const [name, text] of Object.entries(schemes)) {
    writeFileSync(client.path(`${name}.toml`), text, { mode: 0o600 });
  }
  const knock = (host: string, scheme: string, ...args: readonly string[]) =>
    client.hknock(['sequence', host, '--scheme', client.path(`${scheme}.toml`), ...args]);

  await knock(addresses.server6, 'encrypted', service, '--address', '203.0.113.9');
  await reaches(server, 'granted', 1);
  t.is(await visit(client, target), 'no answer');
  await knock(addresses.server6, 'encrypted', service, '--address', addresses.public);
  await reaches(server, 'granted', 2);
  t.is(await visit(client, target), welcome);

  await knock(addresses.server, 'foreign');
  await reaches(server, 'heard', 35);
  t.is(await visit(client, target), 'no answer');
  // its packets must be a second apart, and on a busy machine two may be heard closer
  const knockShared = async (tries: number): Promise<void> => {
    await knock(addresses.server, 'shared');
    await reaches(server, 'granted', 3, 5000).catch((fault: unknown) => {
      if (tries === 1) throw fault;
      return knockShared(tries - 1);
    });
  };
  await knockShared(4);
  t.is(await visit(client, target), welcome);

  await knock(addresses.server, 'one-time');
  await reaches(server, 'granted', 4);
  t.is(await visit(client, target), welcome);
  const { stdout } = await knock(addresses.server, 'one-time', '--print');
  const second = stdout.trim().split(' ');
  await client.run(['knock', ...second]);
  await reaches(server, 'granted', 5);
  t.is(await visit(client, target), welcome);
  await daemon.writes(/scheme=one-time falls_to=/);

  await daemon.end();
  const again = await server.serve();
  await client.run(['knock', ...second]);
  await reaches(server, 'locked out', 1);
  await knock(addresses.server, 'one-time', '--number', '3');
  await reaches(server, 'from banned', 6);
  t.is(await visit(client, target), 'no answer');
  t.is(await visit(neighbour, target), 'no answer');
  t.regex(again.log, /wrong sequence, locked out/);
});
