import { createPublicKey } from 'node:crypto';
import test from 'ava';
import { readCertificate, readKey } from '../../../fixtures/oracle/sknock.ts';
import { FakeClock } from '../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../src/host/fake-log.ts';
import { SknockThreads } from '../../../src/server/sknock-threads.ts';
import { decodeDatagram } from '../../../src/sknock/datagram.ts';
import type { SknockExamination, SknockVerdict } from '../../../src/sknock/examine.ts';
import { createSknock } from '../../../src/sknock/initiator.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { parseDuration, type UnixMs } from '../../../src/units/time.ts';
import { address } from '../grants/plans.ts';

const unixMs = Date.UTC(2027, 0, 1) as UnixMs;
const source = address('192.0.2.1');
const examiners = (key: string) => ({
  data: { key: readKey(key), ca: readCertificate('ca') },
  threads: 1,
});
const host = { clock: new FakeClock(), log: new FakeLog() };

function examination(): SknockExamination {
  const identity = {
    certificate: readCertificate('alice'),
    privateKey: readKey('alice'),
    serverKey: createPublicKey(readKey('server')),
  };
  const wish = { port: parseServicePort('tcp/22'), address: source, issuedAtUnixS: unixMs / 1000 };
  const sealed = decodeDatagram(createSknock(identity, wish, createSystemEntropy()));
  if (typeof sealed === 'string') throw new Error(sealed);
  return { sealed, source, unixMs, windowMs: parseDuration('7s'), checkAddress: true };
}

function isGood(verdict: SknockVerdict | null): boolean {
  return verdict?.kind === 'good';
}

test('what does not fit in the line goes, and that is whatever the busiest source sent first', async (t) => {
  const threads = await SknockThreads.start(examiners('server'), host);
  t.teardown(() => threads.stop());
  const flood = examination();
  const other = { ...examination(), source: address('192.0.2.2'), checkAddress: false };
  // two are with the thread or ahead of it, and 1024 wait
  const verdicts = Array.from({ length: 1126 }, () => threads.examine(flood));
  const [late, ...judged] = await Promise.all([threads.examine(other), ...verdicts]);
  t.true(isGood(late));
  t.is(judged.filter((each) => each === null).length, 101);
  t.deepEqual(
    judged.slice(2, 103),
    Array.from({ length: 101 }, () => null),
  );
  t.true(judged.slice(103).every(isGood));
  t.like(threads.counters(), { waiting: 0, overflowed: 101 });
});

test('another key of ours takes other threads, and the same one the same', async (t) => {
  const threads = await SknockThreads.start(examiners('server'), host);
  t.teardown(() => threads.stop());
  t.true(isGood(await threads.examine(examination())));
  await threads.replace(examiners('server'));
  t.like(threads.counters(), { done: 1 });
  await threads.replace(examiners('bob'));
  const verdict = await threads.examine(examination());
  t.is(verdict?.kind, 'bad');
  t.like(threads.counters(), { done: 1, threads: 1 });
});
