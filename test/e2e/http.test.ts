// A real web server and a real client of it (Python's http.server, curl), by each admission (topology.ts draws the network).
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { netTestWith } from '../support/capabilities.ts';
import { ask, deploy, type Deployment } from '../support/deployment.ts';
import { withGate } from '../support/gate.ts';
import { until } from '../support/netns.ts';
import { addresses } from '../support/topology.ts';

const port = 8000;
const data = randomBytes(5_000_000);
const sum = createHash('sha256').update(data).digest('hex');

/** A deployment with a web server of the name `files`, which serves one file. */
async function deployFiles(t: ExecutionContext): Promise<Deployment> {
  const deployment = await deploy(t, {
    services: 'files',
    configure: (text) =>
      `${withGate(text)}\n[services.files]\nports = ["tcp/${String(port)}"]\nadmission = "address"\n`,
  });
  const { server } = deployment;
  const folder = server.path('files');
  mkdirSync(folder);
  writeFileSync(`${folder}/file`, data);
  server.start(['python3', '-m', 'http.server', String(port), '--directory', folder], {
    stdio: 'ignore',
  });
  const get = ['curl', '-sf', '-o', '/dev/null', `http://127.0.0.1:${String(port)}/file`];
  const isUp = async () => (await server.run(get, { allowFailure: true })).code === 0;
  await until(isUp, 'the web server', 30_000);
  return deployment;
}

netTestWith('python3', 'curl')(
  'curl gets a file from a web server by each admission',
  async (t) => {
    const { server, client, neighbour } = await deployFiles(t);
    const connect = (admission: string, script: string) => {
      const command = ['sh', '-c', script];
      const argv = ['connect', 'gate', 'files', '--admission', admission, '--', ...command];
      return client.hknock(argv, { allowFailure: true });
    };
    const get = 'curl -sf --max-time 20 http://$HKNOCK_HOST:$HKNOCK_PORT/file';
    for (const admission of ['address', 'once', 'port', 'bound', 'gate']) {
      const { stdout, stderr } = await connect(admission, `${get} | sha256sum`);
      t.is(stdout.slice(0, 64), sum, `${admission}: ${stderr}`);
    }
    t.like(await ask(server, 'status'), { gate: { admitted: 1, visitors: 0 } });

    for (const admission of ['port', 'bound', 'gate']) {
      const twice = await connect(admission, `${get} | wc -c; ${get}; echo $?`);
      t.is(
        twice.stdout,
        `${String(data.length)}\n7\n`,
        `${admission}: a second connection is refused`,
      );
    }
    const url = `http://${addresses.server}:${String(port)}/file`;
    const uninvited = await neighbour.run(['curl', '-sf', '--max-time', '1', url], {
      allowFailure: true,
    });
    t.is(uninvited.code, 28, 'control: nobody answers who has not knocked');
  },
);
