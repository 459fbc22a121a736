import { chmodSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { netTest as concurrent } from '../support/capabilities.ts';
import { addPeer, ask, edit, furnish } from '../support/deployment.ts';
import { forFile } from '../support/for-file.ts';
import { inline } from '../support/inline.ts';
import { Machine } from '../support/machine.ts';
import { cleanUp, type Finished, Namespace } from '../support/netns.ts';

const { serial: netTest } = concurrent;

const theirs = `
  table inet theirs {
    chain input { type filter hook input priority 0; }
  }`;

const protectedAlready = forFile(async (owner) => {
  const place = await Namespace.create('server');
  cleanUp(owner, () => place.remove());
  await place.exec(['nft', '-f', '-'], { input: theirs });
  return place;
});

/** A server that is set up, and has not been started. */
async function prepared(t: ExecutionContext): Promise<Machine> {
  const server = new Machine(await protectedAlready());
  cleanUp(t, () => server.remove());
  await furnish(server);
  return server;
}

/** Starts it in vain: what it said, with the firewall found as it was. */
async function startInVain(
  t: ExecutionContext,
  server: Machine,
  argv: readonly string[] = server.argv('serve'),
): Promise<Finished> {
  const rules = async () => (await server.place.exec(['nft', 'list', 'ruleset'])).stdout;
  const before = await rules();
  const finished = await server.run(argv, { allowFailure: true });
  t.is(await rules(), before);
  t.notRegex(finished.stderr, /^\s+at /m, 'no stack trace');
  return finished;
}

async function takePort(): Promise<void> {
  const { createSocket } = await import('node:dgram');
  createSocket('udp4').bind(62_202, () => {
    console.log('ready');
  });
}

netTest('a UDP port that is taken: 69, and the firewall as it was', async (t) => {
  const server = await prepared(t);
  const other = server.start(inline(takePort), { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of other.stdout ?? []) if (String(line).includes('ready')) break;
  const { code, stderr } = await startInVain(t, server);
  t.is(code, 69);
  t.regex(stderr, /62202/);
});

netTest('a control socket that another server serves: 69, and the first goes on', async (t) => {
  const server = await prepared(t);
  const first = await server.serve();
  edit(server, (text) => text.replace(/^listen = .*$/m, 'listen = ["127.0.0.1:62203"]'));
  const { code } = await server.hknock(['serve', '--firewall', 'none'], {
    allowFailure: true,
  });
  t.is(code, 69);
  t.like(await ask(server, 'status'), { services: 1 });
  await first.end();
});

netTest('a control socket that cannot be made: 69, and nothing is shut', async (t) => {
  const server = await prepared(t);
  edit(server, (text) =>
    text
      .replace('on_stop = "open"', 'on_stop = "shut"')
      .replace(/^path = .*$/m, 'path = "nowhere/control.sock"'),
  );
  t.is((await startInVain(t, server)).code, 69);
});

netTest('no nft on the machine: 69, and what to install', async (t) => {
  const server = await prepared(t);
  // in a mount namespace that ends with it; and no package's program that is called nft either
  const without = 'mount -t tmpfs tmpfs /usr/sbin && PATH=/usr/bin:/bin exec "$0" "$@"';
  const argv = ['unshare', '-m', 'sh', '-c', without, ...server.argv('serve')];
  const { code, stderr } = await startInVain(t, server, argv);
  t.is(code, 69);
  t.regex(stderr, /nftables/);
});

netTest('a wrong configuration: 78, with file, line and key', async (t) => {
  const server = await prepared(t);
  const file = server.path('server/hknock.toml');
  const wrongs: readonly (readonly [find: RegExp, wrong: string, key: string])[] = [
    [/^on_stop = .*$/m, 'on_stop = "maybe"', 'on_stop'],
    [/^ttl = .*$/m, 'ttl = "soon"', 'ttl'],
    [/^ports = .*$/m, 'ports = ["tcp/70000"]', 'ports'],
    [/^on_stop = .*$/m, 'on_stopp = "open"', 'on_stopp'],
    [/^\[limits\]$/m, '[limits', 'hknock.toml'],
  ];
  for (const [find, wrong, key] of wrongs) {
    let right = '';
    edit(server, (text) => (right = text).replace(find, wrong));
    const { code, stderr } = await startInVain(t, server);
    t.is(code, 78, stderr);
    t.regex(stderr, new RegExp(`${file}:\\d+`));
    t.true(stderr.includes(key), stderr);
    edit(server, () => right);
  }
});

netTest('keys that others can read, or no folder at all: 78', async (t) => {
  const server = await prepared(t);
  await addPeer(server, server, { peer: 'alice', services: 'web' });
  chmodSync(server.path('server/peers/alice.toml'), 0o644);
  t.is((await startInVain(t, server)).code, 78);
  const nowhere = server.argv('serve', '--dir', server.path('nowhere'));
  t.is((await startInVain(t, server, nowhere)).code, 78);
});
