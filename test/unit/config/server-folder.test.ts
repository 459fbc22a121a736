import { chown, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { addService } from '../../../src/config/add-service.ts';
import { initServerFolder } from '../../../src/config/init.ts';
import { enrolPeer, loadServerFolder, reenrolPeer } from '../../../src/config/server-folder.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { formatEnrolmentUri, parseEnrolmentUri } from '../../../src/store/enrolment-uri.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { peerRequest } from '../store/samples.ts';
import { faultOf, scratch } from '../store/scratch.ts';

const entropy = new FakeEntropy(19);
const host = 'VPN.example.org';
const ssh = parseServiceName('ssh');

async function makeServer(t: ExecutionContext): Promise<string> {
  const directory = await scratch(t);
  await initServerFolder(directory, { entropy });
  await addService(directory, { name: ssh, ports: [parseServicePort('tcp/22')] });
  return directory;
}

test('a peer and its profile know the same keys, and the profile all it needs', async (t) => {
  const directory = await makeServer(t);
  const profile = await enrolPeer(directory, peerRequest('alice'), { host, entropy });
  const { responderId, peers } = await loadServerFolder(directory);
  t.is(peers.length, 1);
  t.deepEqual(profile, {
    name: 'vpn.example.org',
    hosts: ['vpn.example.org'],
    port: 62_202 as never,
    responderId,
    peer: parsePeerName('alice'),
    tag: peers[0]?.tag as never,
    secret: peers[0]?.secret as never,
    services: new Map([[ssh, [parseServicePort('tcp/22')]]]),
    expect: [],
  });
  t.deepEqual(parseEnrolmentUri(formatEnrolmentUri(profile)), profile);
});

test('a peer that gets new keys has a new profile', async (t) => {
  const directory = await makeServer(t);
  const old = await enrolPeer(directory, peerRequest('alice'), { host, entropy });
  const profile = await reenrolPeer(directory, old.peer, { host, entropy });
  t.notDeepEqual(profile.secret, old.secret);
  t.notDeepEqual(profile.tag, old.tag);
  t.deepEqual({ ...profile, tag: old.tag, secret: old.secret }, old);
  t.deepEqual((await loadServerFolder(directory)).peers[0]?.secret, profile.secret);
});

test('hosts and port come from the configuration when nobody says them', async (t) => {
  const directory = await makeServer(t);
  const path = join(directory, 'hknock.toml');
  const text = await readFile(path, 'utf8');
  const changed = text
    .replace('public_hosts = []', 'public_hosts = ["a.example", "192.0.2.1"]')
    .replaceAll(':62202"', ':7"');
  await writeFile(path, changed);
  const profile = await enrolPeer(directory, peerRequest('alice'), { host: null, entropy });
  t.deepEqual(profile.hosts, ['a.example', '192.0.2.1']);
  t.deepEqual([profile.name, Number(profile.port)], ['a.example', 7]);
  const other = await enrolPeer(directory, peerRequest('bob'), { host, entropy });
  t.deepEqual(other.hosts, ['vpn.example.org']);
});

test('what cannot make a profile makes no peer and rotates none', async (t) => {
  const directory = await makeServer(t);
  const { peer } = await enrolPeer(directory, peerRequest('alice'), { host, entropy });
  const file = join(directory, 'peers', 'alice.toml');
  const before = await readFile(file, 'utf8');
  const web = peerRequest('bob', { services: [ssh, parseServiceName('web')] });
  const calls = [
    () => enrolPeer(directory, peerRequest('bob'), { host: null, entropy }),
    () => enrolPeer(directory, peerRequest('bob'), { host: 'a b', entropy }),
    () => enrolPeer(directory, web, { host, entropy }),
    () => enrolPeer(directory, peerRequest('alice'), { host, entropy }),
    () => reenrolPeer(directory, peer, { host: null, entropy }),
    () => reenrolPeer(directory, parsePeerName('bob'), { host, entropy }),
  ];
  for (const call of calls) t.is((await faultOf(call)).code, 'usage');
  t.deepEqual(await readdir(join(directory, 'peers')), ['alice.toml']);
  t.is(await readFile(file, 'utf8'), before);
});

test('a peer with a service that is not there keeps the folder from loading', async (t) => {
  const directory = await makeServer(t);
  await enrolPeer(directory, peerRequest('alice'), { host, entropy });
  const file = join(directory, 'peers', 'alice.toml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('["ssh"]', '["shh"]'));
  const fault = await faultOf(() => loadServerFolder(directory));
  t.is(fault.code, 'config');
  t.true(fault.message.startsWith(`${file}:6: services[0]: `), fault.message);
});

test('a folder without its key does not load', async (t) => {
  const directory = await makeServer(t);
  await rm(join(directory, 'responder.key'));
  t.is((await faultOf(() => loadServerFolder(directory))).code, 'config');
});

const asRoot = process.geteuid?.() === 0 ? test : test.skip;

asRoot(
  'root runs no commands that another user can change; all else of his it may read',
  async (t) => {
    const directory = await makeServer(t);
    const path = join(directory, 'hknock.toml');
    const said = (await readFile(path, 'utf8'))
      .replace('backend = "nftables"', 'backend = "command"')
      .replace(/^(open|close) = \[\]$/gm, '$1 = ["/bin/true"]');
    await writeFile(path, said);
    t.is((await loadServerFolder(directory)).config.firewall.backend, 'command');
    for (const theirs of [path, directory]) {
      await chown(theirs, 65_534, 65_534);
      t.is((await faultOf(() => loadServerFolder(directory))).code, 'config', theirs);
      await enrolPeer(directory, peerRequest(theirs === path ? 'alice' : 'bob'), { host, entropy });
      t.is(
        (await loadServerFolder(directory, { backend: 'none' })).config.firewall.backend,
        'none',
      );
      await chown(theirs, 0, 0);
    }
  },
);
