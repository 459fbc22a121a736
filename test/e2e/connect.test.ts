import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { netTest } from '../support/capabilities.ts';
import { deploy } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';

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

netTest('connect passes on the end of its input, and waits for the answer', async (t) => {
  const { server, client } = await deploy(t, {
    services: 'web,digest',
    configure: (text) => `${text}\n[services.digest]\nports = ["tcp/9000"]\n`,
  });
  const service = server.start(inline(digest, '9000'), { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of service.stdout ?? []) if (String(line).includes('ready')) break;

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
