import { chmodSync, copyFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ModeContext } from '../../../src/server/mode.ts';
import { Server } from '../../../src/server/server.ts';
import { certificatePeerName } from '../../../src/units/names.ts';
import { plan } from '../grants/plans.ts';
import { OpensslCa, p256 } from '../pki/openssl-ca.ts';
import { faultOf } from '../store/scratch.ts';
import { Folder } from './folder.ts';
import { partsFor } from './running.ts';

/** A running server with certificates, what its modes are given, and the authority. */
async function setUp(t: ExecutionContext) {
  const folder = await Folder.create(t);
  const ca = new OpensslCa(t);
  ca.run('genpkey', ...p256, '-out', 'server.key');
  ca.crl();
  const put = (name: string): void => {
    copyFileSync(ca.path(name), join(folder.path, name));
    chmodSync(join(folder.path, name), 0o600);
  };
  for (const name of ['ca.pem', 'server.key', 'crl.pem']) put(name);
  const lines = '[certificates]\nca = "ca.pem"\nkey = "server.key"\ncrl = "crl.pem"\n';
  await appendFile(join(folder.path, 'hknock.toml'), lines);
  const given: ModeContext[] = [];
  const { options, ...parts } = partsFor(folder);
  const start = (): Promise<Server> =>
    Server.start({
      ...options,
      modes: [
        (context) => {
          given.push(context);
          return Promise.resolve(null);
        },
      ],
    });
  return { folder, ca, put, start, given, ...parts };
}

/** What a mode gets. */
function only(given: readonly ModeContext[]): ModeContext {
  const [context] = given;
  if (context === undefined) throw new Error('no mode was asked');
  return context;
}

test('a reload closes and cuts whom a new list names, also when the rest of the folder is wrong', async (t) => {
  const { folder, ca, put, start, given, firewall } = await setUp(t);
  const server = await start();
  t.teardown(() => server.stop());
  const { grants, certificates } = only(given);
  ca.issue('alice', { serial: 'a1' });
  const peer = certificatePeerName('a1');
  t.is((await grants.open(plan({ peer, authorised: [...plan().ports] }))).kind, 'granted');
  await server.reload();
  t.is(grants.list().length, 1, 'nobody is revoked yet');
  ca.revoke('alice');
  ca.crl();
  put('crl.pem');
  await folder.edit(/^level = .*$/m, 'level = "loud"');
  t.is((await faultOf(() => server.reload())).code, 'config');
  t.deepEqual(grants.list(), []);
  t.deepEqual(firewall.transactions.at(-1)?.cuts, [{ peer, source: null }]);
  t.truthy(certificates);
});

test('a server whose key cannot be used does not start, and leaves its services open', async (t) => {
  const { folder, start, firewall } = await setUp(t);
  chmodSync(join(folder.path, 'server.key'), 0o644);
  t.is((await faultOf(start)).code, 'config');
  t.is(firewall.protected, null);
  t.is(firewall.left, 'open');
});

test('a reload with a wrong certificate of the authority leaves all as it was', async (t) => {
  const { folder, ca, start, given } = await setUp(t);
  const server = await start();
  t.teardown(() => server.stop());
  const verifier = only(given).certificates?.verifier;
  copyFileSync(ca.path('server.key'), join(folder.path, 'ca.pem'));
  await folder.addService('dns', 'udp/53');
  t.is((await faultOf(() => server.reload())).code, 'config');
  t.is(only(given).certificates?.verifier, verifier);
  t.is(server.status().services, 2);
});
