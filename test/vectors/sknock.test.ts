import { createPrivateKey } from 'node:crypto';
import test from 'ava';
import { parseAddress } from '../../src/bytes/address.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { CertificateVerifier } from '../../src/pki/verifier.ts';
import { decodeDatagram } from '../../src/sknock/datagram.ts';
import { sknockDropReasons } from '../../src/sknock/drop-reason.ts';
import { RequestOpener } from '../../src/sknock/ecies.ts';
import { ReplayCache } from '../../src/sknock/replay-cache.ts';
import type { SknockDrop, SknockKnock } from '../../src/sknock/responder.ts';
import { sknockServer } from '../support/sknock.ts';
import { certificatePeerName, type ServiceName } from '../../src/units/names.ts';
import { type Endpoint, formatServicePort } from '../../src/units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../../src/units/time.ts';
import { bytes, readVectors } from './vector-file.ts';

type Vector = ReturnType<typeof readVectors<'sknock'>>[number];

const vectors = readVectors('sknock');

for (const vector of vectors) {
  test(vector.name, (t) => {
    const receive = responderFor(vector);
    for (const { atUnixMs, source, datagram, expect } of vector.steps) {
      const judged = receive(bytes(datagram), {
        source: endpoint(source),
        unixMs: atUnixMs as UnixMs,
        monotonicMs: 0 as MonotonicMs,
      });
      if (judged.kind === 'knock' && 'knock' in expect) {
        t.is(judged.knock.peer, certificatePeerName(expect.knock.serial));
        const { serial, ...rest } = expect.knock;
        t.deepEqual(told(judged), { knock: rest } as unknown, serial);
      } else {
        t.deepEqual(told(judged), expect as unknown);
      }
    }
  });
}

for (const { name, server, steps, intermediate } of vectors) {
  if (intermediate === undefined) continue;
  test(`${name}, intermediate values`, (t) => {
    const sealed = decodeDatagram(bytes(steps[0]?.datagram ?? ''));
    if (typeof sealed === 'string') throw new Error(sealed);
    t.is(toHex(sealed.ciphertext), intermediate.ciphertext);
    const opened = new RequestOpener(keyOf(server)).open(sealed);
    if (typeof opened === 'string') throw new Error(opened);
    t.is(toHex(opened.plaintext), intermediate.plaintext);
  });
}

test('every reason for a drop has its vector, but that of a line that is full, and those that the certificates’ own tests have', (t) => {
  const seen = new Set(
    vectors.flatMap(({ steps }) =>
      steps.map(({ expect }) => ('drop' in expect ? expect.drop : '')),
    ),
  );
  t.deepEqual(
    sknockDropReasons.filter((reason) => !seen.has(reason)),
    [
      'overload',
      'certificate-wrong-key',
      'certificate-wrong-usage',
      'certificate-bad-authorisation',
      'certificate-revoked',
      'crl-stale',
    ],
  );
});

function told(judged: SknockDrop | SknockKnock): unknown {
  if (judged.kind === 'drop') return { drop: judged.reason };
  const { service, port, observed, claimed, authorised, sessionSecret } = judged.knock;
  return {
    knock: {
      service,
      port: port && formatServicePort(port),
      observed,
      claimed: claimed?.address,
      authorised: authorised?.map(formatServicePort),
      sessionSecret: toHex(sessionSecret),
    },
  };
}

function responderFor({ server, ca, services, config }: Vector) {
  const plenty = { perSecond: 1000, burst: 1000 };
  const { replayCapacity, knocksPerPeer, windowMs, ...rest } = config;
  return sknockServer({
    ...rest,
    windowMs: windowMs as DurationMs,
    privateKey: keyOf(server),
    certificates: new CertificateVerifier({ ca: bytes(ca) }),
    serviceOf: (port) => {
      const has = ([, ports]: [string, string[]]): boolean =>
        ports.includes(formatServicePort(port));
      return (Object.entries(services).find(has)?.[0] as ServiceName | undefined) ?? null;
    },
    limits: new KnockLimits({ perSecond: 0, burst: knocksPerPeer }, plenty),
    replays: new ReplayCache(replayCapacity),
  });
}

function keyOf(pkcs8: string) {
  return createPrivateKey({ key: Buffer.from(pkcs8, 'hex'), format: 'der', type: 'pkcs8' });
}

function endpoint({ address, port }: { address: string; port: number }): Endpoint {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(address);
  return { address: parsed, port };
}
