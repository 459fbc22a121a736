import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { decodeConfig } from '../../../src/config/load.ts';
import { Grants } from '../../../src/grants/grants.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeEntropy } from '../../../src/host/fake-entropy.ts';
import { FakeFirewall } from '../../../src/host/fake-firewall.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { Certificates } from '../../../src/server/certificates.ts';
import { certificatePeerName } from '../../../src/units/names.ts';
import { until } from '../../support/netns.ts';
import { plan } from '../grants/plans.ts';
import { OpensslCa, p256 } from '../pki/openssl-ca.ts';
import { faultOf, scratch } from '../store/scratch.ts';

/** A server's folder with an authority's certificate, a key and a first list, and what the server is made of. */
class Stage {
  readonly ca: OpensslCa;
  readonly folder: string;
  readonly clock = new FakeClock(Date.now() + 600_000);
  readonly log = new FakeLog();
  readonly firewall = new FakeFirewall(this.clock);
  readonly grants: Grants;
  readonly #t: ExecutionContext;

  static async set(t: ExecutionContext): Promise<Stage> {
    return new Stage(t, await scratch(t));
  }

  private constructor(t: ExecutionContext, folder: string) {
    this.#t = t;
    this.ca = new OpensslCa(t);
    this.folder = folder;
    const { firewall, clock, log } = this;
    const limits = { perPeer: 10, perSource: 10, total: 10 };
    this.grants = new Grants({ firewall, clock, log, limits, entropy: new FakeEntropy() });
    this.ca.run('genpkey', ...p256, '-out', 'server.key');
    this.put(this.ca.path('ca.pem'), 'ca.pem');
    this.put(this.ca.path('server.key'), 'server.key');
    this.publish();
  }

  put(from: string, name: string): void {
    copyFileSync(from, join(this.folder, name));
    chmodSync(join(this.folder, name), 0o600);
  }

  /** Makes the next list and puts it where the configuration says. */
  publish(...options: readonly string[]): void {
    this.ca.crl(...options);
    this.put(this.ca.path('crl.pem'), 'crl.pem');
  }

  config(lines = '', crl = 'crl.pem') {
    const text = `${lines}\n[certificates]\nca = "ca.pem"\nkey = "server.key"\n`;
    return decodeConfig(crl === '' ? text : `${text}crl = "${crl}"\n`, this.folder);
  }

  async start(config = this.config()): Promise<Certificates> {
    const { grants, clock, log } = this;
    const certificates = await Certificates.start(config, { grants, clock, log });
    if (certificates === null) throw new Error('no certificates');
    this.#t.teardown(() => certificates.stop());
    return certificates;
  }

  /** Serves lists over HTTP on loopback; gives the URL. */
  async serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/crl`;
  }

  /** `good`, or why a certificate is refused now. */
  judge({ verifier }: Certificates, der: Uint8Array): string {
    const result = verifier.verify(der, this.clock.unixMs());
    return typeof result === 'string' ? result : 'good';
  }

  events(): readonly string[] {
    return this.log.lines.map(({ event, fields }) => [event, fields['reason']].join(' ').trim());
  }
}

test('without a table there are no certificates', async (t) => {
  const { clock, grants, log, folder } = await Stage.set(t);
  t.is(await Certificates.start(decodeConfig('', folder), { grants, clock, log }), null);
});

test('a certificate that is revoked loses its grants and connections with the next list', async (t) => {
  const stage = await Stage.set(t);
  const [alice, bob] = [stage.ca.issue('alice', { serial: 'a1' }), stage.ca.issue('bob')];
  const certificates = await stage.start();
  t.is(stage.judge(certificates, alice), 'good');
  const peer = certificatePeerName('a1');
  await stage.grants.open(plan({ peer }));
  await stage.grants.open(plan());
  stage.ca.revoke('alice');
  stage.publish();
  t.is(stage.judge(certificates, alice), 'good', 'nobody has read it yet');
  await certificates.refresh();
  t.is(stage.judge(certificates, alice), 'certificate-revoked');
  t.is(stage.judge(certificates, bob), 'good');
  t.deepEqual(
    stage.grants.list().map((each) => each.peer),
    [plan().peer],
  );
  t.deepEqual(stage.firewall.transactions.at(-1)?.cuts, [{ peer, source: null }]);
});

test('its connections live on where the policy says so', async (t) => {
  const stage = await Stage.set(t);
  stage.ca.issue('alice', { serial: 'a1' });
  const certificates = await stage.start(stage.config('policy.cut_on_revoke = false'));
  await stage.grants.open(plan({ peer: certificatePeerName('a1') }));
  stage.ca.revoke('alice');
  stage.publish();
  await certificates.refresh();
  t.deepEqual(stage.grants.list(), []);
  t.deepEqual(stage.firewall.transactions.at(-1)?.cuts, []);
});

test('who was revoked while the server was down is cut when it starts again', async (t) => {
  const stage = await Stage.set(t);
  stage.ca.issue('alice', { serial: 'a1' });
  await (await stage.start()).stop();
  t.deepEqual(stage.firewall.transactions, [], 'of the first list nobody can be connected');
  stage.ca.revoke('alice');
  stage.publish();
  await stage.start();
  const [{ cuts } = { cuts: [] }] = stage.firewall.transactions;
  t.deepEqual(cuts, [{ peer: certificatePeerName('a1'), source: null }]);
});

test('the list is read again at the interval', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  const certificates = await stage.start();
  stage.ca.revoke('alice');
  stage.publish();
  stage.clock.advance(1_800_000);
  await until(() => stage.judge(certificates, alice) === 'certificate-revoked', 'the list');
  t.pass();
});

test('an older list is refused, also after a restart', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  copyFileSync(join(stage.folder, 'crl.pem'), join(stage.folder, 'older.pem'));
  stage.ca.revoke('alice');
  stage.publish();
  const first = await stage.start();
  t.is(stage.judge(first, alice), 'certificate-revoked');
  stage.put(join(stage.folder, 'older.pem'), 'crl.pem');
  await first.refresh();
  t.is(stage.judge(first, alice), 'certificate-revoked');
  await first.stop();
  stage.log.lines.length = 0;
  t.is(stage.judge(await stage.start(), alice), 'certificate-revoked');
  t.deepEqual(stage.events(), ['crl refused crl-older']);
});

test('a list that cannot be believed is refused with its reason, and the last one holds', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  stage.ca.revoke('alice');
  stage.publish();
  const certificates = await stage.start();
  const path = join(stage.folder, 'crl.pem');
  const other = new OpensslCa(t);
  other.crl();
  for (const [put, told] of [
    [
      () => {
        stage.put(other.path('crl.pem'), 'crl.pem');
      },
      'crl refused crl-untrusted',
    ],
    [
      () => {
        writeFileSync(path, 'no list');
      },
      'crl refused crl-malformed',
    ],
    [
      () => {
        writeFileSync(path, '');
      },
      'crl refused crl-malformed',
    ],
    [
      () => {
        writeFileSync(path, '-----BEGIN X509 CRL-----\n');
      },
      'crl refused crl-malformed',
    ],
    [
      () => {
        writeFileSync(path, Buffer.alloc(7_000_000));
      },
      'crl not taken',
    ],
    [
      () => {
        rmSync(path);
      },
      'crl not taken',
    ],
    [
      () => {
        mkdirSync(path);
      },
      'crl not taken',
    ],
  ] as const) {
    stage.log.lines.length = 0;
    put();
    await certificates.refresh();
    t.deepEqual(stage.events(), [told]);
    t.is(stage.judge(certificates, alice), 'certificate-revoked');
  }
});

test('a list out of date lets nobody in, or only warns, as the configuration says', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  stage.publish('-crlhours', '1');
  const closed = await stage.start();
  const easy = await stage.start(
    decodeConfig(
      '[certificates]\nca = "ca.pem"\nkey = "server.key"\ncrl = "crl.pem"\non_stale = "warn"',
      stage.folder,
    ),
  );
  t.is(stage.judge(closed, alice), 'good');
  stage.log.lines.length = 0;
  stage.clock.advance(3_600_000);
  t.is(stage.judge(closed, alice), 'crl-stale');
  t.is(stage.judge(easy, alice), 'good');
  await closed.refresh();
  t.true(stage.events().includes('crl stale'));
  stage.publish();
  await closed.refresh();
  t.is(stage.judge(closed, alice), 'good');
});

test('over HTTP: taken when it comes, and asked for again soon when it does not', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  stage.ca.revoke('alice');
  const der = stage.ca.crl();
  let status = 503;
  const url = await stage.serve((_, response) => response.writeHead(status).end(der));
  const certificates = await stage.start(stage.config('', url));
  await until(() => stage.events().includes('crl stale'), 'crl stale');
  t.is(stage.judge(certificates, alice), 'crl-stale');
  status = 200;
  stage.clock.advance(60_000);
  await until(() => stage.judge(certificates, alice) === 'certificate-revoked', 'the list');
  await certificates.stop();
  t.deepEqual(
    Buffer.from(readFileSync(join(stage.folder, 'crl.kept.pem'))),
    readFileSync(stage.ca.path('crl.pem')),
  );
});

test('over HTTP: with nobody there, the list that was kept holds', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  stage.ca.revoke('alice');
  stage.publish();
  await (await stage.start()).stop();
  const certificates = await stage.start(stage.config('', 'http://127.0.0.1:1/crl'));
  t.is(stage.judge(certificates, alice), 'certificate-revoked');
  await until(() => stage.events().includes('crl not taken'), 'crl not taken');
});

test('over HTTP: an endless list is left where it becomes too long', async (t) => {
  const stage = await Stage.set(t);
  let sent = 0;
  const url = await stage.serve((_, response) => {
    const more = (): void => {
      sent += 65_536;
      if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    more();
  });
  await stage.start(stage.config('', url));
  await until(() => stage.events().includes('crl not taken'), 'crl not taken');
  const [told] = stage.log.lines.filter(({ event }) => event === 'crl not taken');
  t.regex(String(told?.fields['fault']), /is longer than/);
  t.true(sent < 20_000_000);
});

test('over HTTP: a server that never ends its answer does not hold up start, reload or stop', async (t) => {
  const stage = await Stage.set(t);
  let asked = 0;
  const url = await stage.serve((_, response) => {
    asked++;
    response.writeHead(200).write('3');
  });
  const certificates = await stage.start(stage.config('', url));
  await until(() => asked === 1, 'a request');
  await certificates.refresh();
  await certificates.stop();
  t.false(stage.events().includes('crl not taken'));
});

test('a reload takes another authority, and those whom the first let in are out', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice', { serial: 'a1' });
  const certificates = await stage.start(stage.config('', ''));
  await stage.grants.open(plan({ peer: certificatePeerName('a1') }));
  await stage.grants.open(plan());
  const next = new OpensslCa(t);
  const bob = next.issue('bob');
  stage.put(next.path('ca.pem'), 'ca.pem');
  await (
    await certificates.prepare(stage.config('', ''))
  )();
  t.is(stage.judge(certificates, alice), 'certificate-untrusted');
  t.is(stage.judge(certificates, bob), 'good');
  t.deepEqual(
    stage.grants.list().map((each) => each.peer),
    [plan().peer],
  );
});

test('a reload with nothing changed keeps what has been verified; with a wrong file it changes nothing', async (t) => {
  const stage = await Stage.set(t);
  const alice = stage.ca.issue('alice');
  const certificates = await stage.start();
  t.is(stage.judge(certificates, alice), 'good');
  await (
    await certificates.prepare(stage.config())
  )();
  t.is(certificates.verifier.cached, 1);
  writeFileSync(join(stage.folder, 'ca.pem'), 'nothing');
  t.is((await faultOf(() => certificates.prepare(stage.config()))).code, 'config');
  t.is(stage.judge(certificates, alice), 'good');
});

test('a wrong file is told at the start, and never quoted', async (t) => {
  const stage = await Stage.set(t);
  const key = readFileSync(join(stage.folder, 'server.key'), 'utf8');
  const write = (name: string, text: string, mode = 0o600): void => {
    writeFileSync(join(stage.folder, name), text);
    chmodSync(join(stage.folder, name), mode);
  };
  for (const spoil of [
    () => {
      write('server.key', key, 0o644);
    },
    () => {
      write('server.key', key.slice(0, 100));
    },
    () => {
      write('server.key', stage.ca.run('genpkey', '-algorithm', 'ED25519'));
    },
    () => {
      rmSync(join(stage.folder, 'server.key'));
    },
    () => {
      write('server.key', key);
      write('ca.pem', key);
    },
    () => {
      rmSync(join(stage.folder, 'ca.pem'));
    },
  ]) {
    spoil();
    const fault = await faultOf(() => stage.start());
    t.is(fault.code, 'config');
    t.false(fault.message.includes(key.slice(40, 60)));
  }
});

test('the status tells of the authority, of the list and its age, and why the last try failed', async (t) => {
  const stage = await Stage.set(t);
  stage.ca.issue('alice');
  stage.ca.revoke('alice');
  stage.publish('-crldays', '2');
  const certificates = await stage.start();
  const { ca, crl } = certificates.status();
  t.is(ca.name, certificates.verifier.anchor.commonName);
  t.is(Date.parse(ca.notAfter), certificates.verifier.anchor.notAfter);
  t.like(crl, { source: join(stage.folder, 'crl.pem'), lastFault: null });
  t.like(crl?.list, { revoked: 1, isStale: false });
  stage.clock.advance(3 * 86_400_000);
  writeFileSync(join(stage.folder, 'crl.pem'), 'no list');
  await certificates.refresh();
  const later = certificates.status().crl;
  t.like(later?.list, { number: crl?.list?.number, isStale: true });
  t.true((later?.list?.ageMs ?? 0) > 3 * 86_400_000);
  t.is(later?.lastFault?.fault, 'crl-malformed');
  rmSync(join(stage.folder, 'crl.pem'));
  await certificates.refresh();
  t.regex(String(certificates.status().crl?.lastFault?.fault), /ENOENT/);
  stage.publish();
  await certificates.refresh();
  t.is(certificates.status().crl?.lastFault, null);
});
