import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { netTest } from '../support/capabilities.ts';
import { deploy } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';
import type { Machine } from '../support/machine.ts';

/** A service that answers only when it has heard all: what a lost half-close would wait for in vain. */
async function digest(port: string): Promise<void> {
  const { createServer } = await import('node:net');
  const { createHash: hash } = await import('node:crypto');
  createServer({ allowHalfOpen: true }, (socket) => {
    const all = hash('sha256');
    socket
      .on('data', (bytes: Buffer) => all.update(bytes))
      .on('end', () => socket.end(all.digest('hex')));
  }).listen(Number(port), '::', () => {
    console.log('ready');
  });
}

/** A service that says all it has to say at once, and then reads on: prints what it was told. */
async function mailbox(port: string): Promise<void> {
  const { createServer } = await import('node:net');
  createServer({ allowHalfOpen: true }, (socket) => {
    let letter = '';
    socket.end('posted here\n');
    socket.setEncoding('utf8').on('data', (text: string) => (letter += text));
    socket.on('end', () => {
      console.log(letter);
    });
  }).listen(Number(port), '::', () => {
    console.log('ready');
  });
}

/** Starts a service and waits until it listens. */
async function start(server: Machine, argv: readonly string[]): Promise<Readable> {
  const { stdout } = server.start(argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (stdout === null) throw new Error('no pipe');
  await once(stdout, 'data');
  return stdout;
}

netTest('connect passes on the end of the answer, and goes on sending', async (t) => {
  const { server, client } = await deploy(t, {
    services: 'mailbox',
    configure: (text) => `${text}\n[services.mailbox]\nports = ["tcp/9000"]\n`,
  });
  const letters = await start(server, inline(mailbox, '9000'));
  const child = client.start(client.argv('connect', 'gate'));
  const closed = once(child, 'close');
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  if (child.stdout !== null) await once(child.stdout, 'end');
  t.is(said, 'posted here\n');
  child.stdin?.end('a letter');
  const [letter] = (await once(letters, 'data')) as [Buffer];
  t.is(String(letter), 'a letter\n');
  await closed;
  t.is(child.exitCode, 0);
});

netTest('connect passes on the end of its input, and waits for the answer', async (t) => {
  const { server, client } = await deploy(t, {
    services: 'web,digest',
    configure: (text) => `${text}\n[services.digest]\nports = ["tcp/9000"]\n`,
  });
  await start(server, inline(digest, '9000'));

  const data = randomBytes(8_000_000);
  writeFileSync(client.path('data'), data);
  const shell = (script: string) => client.run(['sh', '-c', script, ...client.argv()]);
  const { stdout } = await shell('"$0" "$1" connect gate digest < "$HOME/data"');
  t.is(stdout, createHash('sha256').update(data).digest('hex'));

  const echoed = await shell(
    '"$0" "$1" connect gate web < "$HOME/data" | tail -c 8000000 | sha256sum',
  );
  t.is(echoed.stdout.slice(0, 64), createHash('sha256').update(data).digest('hex'));
});

netTest('connect with a command waits for the grant and gives its exit code', async (t) => {
  const { client } = await deploy(t);
  const connect = (...command: readonly string[]) =>
    client.hknock(['connect', 'gate', 'web', '--', ...command], { allowFailure: true });
  t.is((await connect('sh', '-c', 'exit 7')).code, 7);
  t.is((await connect('sh', '-c', 'echo said')).stdout, 'said\n');
});
