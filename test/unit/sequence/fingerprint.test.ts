import test from 'ava';
import fc from 'fast-check';
import { parseLogLine } from '../../../src/sequence/capture/log-line.ts';
import type { Packet } from '../../../src/sequence/capture/packet.ts';
import { isFrom, parseSignature } from '../../../src/sequence/fingerprint.ts';
import type { Heard } from '../../../src/sequence/tracker.ts';
import type { MonotonicMs } from '../../../src/units/time.ts';

/** The SYN of Rash's article, as it has been logged. */
const line =
  'Aug  7 17:22:57 orthanc kernel: IN=eth0 OUT= MAC=00:0c:41:24:68:ef:00:0c:41:24:56:37:08:00 SRC=192.168.10.2 DST=10.3.2.1 LEN=60 TOS=0x10 PREC=0x00 TTL=64 ID=56686 DF PROTO=TCP SPT=32811 DPT=60000 WINDOW=5840 RES=0x00 SYN URGP=0 OPT (020405B40402080A06551B7A0000000001030300)';

/** The article's SYN, with something about it changed. */
function syn(change: (text: string) => string = (text) => text): Heard {
  const packet = parseLogLine(change(line), '');
  if (typeof packet === 'string') throw new Error(packet);
  return { ...packet, at: 0 as MonotonicMs };
}

function matches(signature: string, knock = syn()): boolean {
  const parsed = parseSignature(signature);
  if (parsed === null) throw new Error(`no signature: ${signature}`);
  return isFrom(parsed, knock);
}

test('the article’s packet is of the article’s signature', (t) => {
  t.true(matches('S4:64:1:60:M*,S,T,N,W0'));
});

for (const signature of [
  '*:64:1:60:M*,S,T,N,W0',
  '5840:64:1:*:M1460,S,T,N,W*',
  '%1460:64:1:60:M*,S,T,N,W0',
  'S4:103:1:60:M*,S,T,N,W0',
]) {
  test(`and of ${signature}`, (t) => {
    t.true(matches(signature));
  });
}

for (const signature of [
  'S5:64:1:60:M*,S,T,N,W0',
  'T4:64:1:60:M*,S,T,N,W0',
  '%1000:64:1:60:M*,S,T,N,W0',
  '5841:64:1:60:M*,S,T,N,W0',
  'S4:63:1:60:M*,S,T,N,W0',
  'S4:104:1:60:M*,S,T,N,W0',
  'S4:64:0:60:M*,S,T,N,W0',
  'S4:64:1:48:M*,S,T,N,W0',
  'S4:64:1:60:M1400,S,T,N,W0',
  'S4:64:1:60:M*,S,T0,N,W0',
  'S4:64:1:60:M*,S,T,N,W7',
  'S4:64:1:60:M*,S,N,T,W0',
  'S4:64:1:60:M*,S,T,N',
  'S4:64:1:60:M*,S,T,N,W0,E',
  'S4:64:1:60:.',
]) {
  test(`and not of ${signature}`, (t) => {
    t.false(matches(signature));
  });
}

test('on the way it has lost as many hops as routers it passed', (t) => {
  const signature = 'S4:64:1:60:M*,S,T,N,W0';
  t.true(
    matches(
      signature,
      syn((text) => text.replace('TTL=64', 'TTL=25')),
    ),
  );
  t.false(
    matches(
      signature,
      syn((text) => text.replace('TTL=64', 'TTL=24')),
    ),
  );
});

const withOptions = (hex: string): Heard => syn((text) => text.replace(/\(.*\)/, `(${hex})`));

test('options by their names, those without one by their kind', (t) => {
  t.true(matches('5840:64:1:60:T0,E', withOptions('080A0000000000000001000000')));
  t.true(matches('5840:64:1:60:N,N,?34', withOptions('01012202')));
  t.true(matches('5840:64:1:60:.', withOptions('')));
});

test('options that lead nowhere are of no system', (t) => {
  for (const hex of ['0200', '020A05B4', '02', '0501']) {
    t.false(matches('5840:64:1:60:.', withOptions(hex)));
    t.false(matches('5840:64:1:60:M*', withOptions(hex)));
  }
});

test('what is no SYN is of no system', (t) => {
  t.false(matches('*:64:1:*:.', { ...syn(), protocol: 'udp', tcpFlags: null, syn: null }));
});

for (const text of [
  '',
  'S4:64:1:60',
  'S4:64:1:60:M*:more',
  'S0:64:1:60:M*',
  '%0:64:1:60:M*',
  'X4:64:1:60:M*',
  'S4:0:1:60:M*',
  'S4:256:1:60:M*',
  'S4:64:2:60:M*',
  'S4:64:1:0:M*',
  'S4:64:1:60:',
  'S4:64:1:60:M',
  'S4:64:1:60:M*,',
  'S4:64:1:60:Q',
]) {
  test(`'${text}' is no signature`, (t) => {
    t.is(parseSignature(text), null);
  });
}

test('whatever the options, nothing is thrown', (t) => {
  const signature = parseSignature('*:64:1:*:M*');
  if (signature === null) throw new Error('a signature');
  const own = syn();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (options) => {
      const traits: Packet['syn'] = own.syn && { ...own.syn, options };
      t.notThrows(() => isFrom(signature, { ...own, syn: traits }));
    }),
  );
});
