import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { addService, type NewService } from '../../../src/config/add-service.ts';
import { initServerFolder } from '../../../src/config/init.ts';
import { loadServerConfig } from '../../../src/config/load.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { faultOf, scratch } from '../store/scratch.ts';

function service(
  name: string,
  ports: readonly string[],
  more: Partial<NewService> = {},
): NewService {
  return { name: parseServiceName(name), ports: ports.map(parseServicePort), ...more };
}

async function makeFolder(t: ExecutionContext): Promise<{ directory: string; path: string }> {
  const directory = await scratch(t);
  await initServerFolder(directory, { entropy: new FakeEntropy(17) });
  return { directory, path: join(directory, 'hknock.toml') };
}

test('a service is added behind what is there, comments and all', async (t) => {
  const { directory, path } = await makeFolder(t);
  const before = await readFile(path, 'utf8');
  const ttlMs = parseDuration('90s');
  const web = service('web', ['tcp/80', 'udp/443'], { admission: 'address', ttlMs });
  await addService(directory, service('ssh', ['tcp/22']));
  await addService(directory, web);
  const { services } = await loadServerConfig(directory);
  t.deepEqual([...services.keys()].map(String), ['ssh', 'web']);
  t.deepEqual(services.get(web.name), {
    ...web,
    flowKeepMs: null,
    proxyProtocol: false,
    admission: 'address',
    ttlMs,
    upstream: null,
  });
  t.true((await readFile(path, 'utf8')).startsWith(before));
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual((await readdir(directory)).sort(), [
    'hknock.toml',
    'peers',
    'responder.key',
    'schemes',
  ]);
});

test('of services that are added at once none is lost', async (t) => {
  const { directory } = await makeFolder(t);
  const names = ['a', 'b', 'c', 'd'];
  const adding = names.map((name, at) =>
    addService(directory, service(name, [`tcp/${String(at + 1)}`])),
  );
  await Promise.all(adding);
  t.deepEqual([...(await loadServerConfig(directory)).services.keys()].map(String).sort(), names);
});

test('a service is added behind a last line without an end', async (t) => {
  const { directory, path } = await makeFolder(t);
  await writeFile(path, '[log]\nlevel = "warn" # mine');
  await addService(directory, service('ssh', ['tcp/22']));
  t.is((await loadServerConfig(directory)).logLevel, 'warn');
  t.is((await loadServerConfig(directory)).services.size, 1);
});

test('what would make the configuration wrong is refused and leaves it as it was', async (t) => {
  const { directory, path } = await makeFolder(t);
  await addService(directory, service('ssh', ['tcp/22']));
  const cases = [
    ['usage', service('ssh', ['tcp/23'])],
    ['config', service('sftp', ['tcp/22'])],
    ['config', service('none', [])],
    [
      'config',
      service(
        'many',
        Array.from({ length: 17 }, (_, at) => `tcp/${String(at + 100)}`),
      ),
    ],
    ['config', service('short', ['tcp/1'], { ttlMs: parseDuration('1ms') })],
  ] as const;
  const before = await readFile(path, 'utf8');
  for (const [code, each] of cases) {
    t.is((await faultOf(() => addService(directory, each))).code, code, each.name);
    t.is(await readFile(path, 'utf8'), before);
  }
});

test('a configuration that is wrong, missing or closed to additions stays as it is', async (t) => {
  const { directory, path } = await makeFolder(t);
  for (const content of ['lsten = []\n', 'services = { web = { ports = ["tcp/80"] } }\n']) {
    await writeFile(path, content);
    t.is((await faultOf(() => addService(directory, service('ssh', ['tcp/22'])))).code, 'config');
    t.is(await readFile(path, 'utf8'), content);
  }
  const nowhere = join(directory, 'nowhere');
  t.is((await faultOf(() => addService(nowhere, service('ssh', ['tcp/22'])))).code, 'config');
});
