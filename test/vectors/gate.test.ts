import test from 'ava';
import { verifyBinder } from '../../src/admission/gate/binder.ts';
import { readPskHello } from '../../src/admission/gate/client-hello.ts';
import { gateKey } from '../../src/admission/gate/gate-key.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import type { GateKey } from '../../src/host/firewall.ts';
import { bytes, readVectors } from './vector-file.ts';

function judge(said: Uint8Array, { identity, key }: GateKey): string {
  const hello = readPskHello(said);
  if (hello === 'more') return 'more';
  if (hello === null) return 'refused';
  if (hello.identity !== identity) return 'identity';
  return verifyBinder(hello, key) ? 'proven' : 'binder';
}

for (const { name, sessionSecret, identity, key, said, expect } of readVectors('gate')) {
  test(name, (t) => {
    const derived = gateKey(bytes(sessionSecret));
    t.is(derived.identity, identity);
    t.is(toHex(derived.key), key);
    // the reader does not tell a wrong record from a wrong hello: to a client it is all one
    const isUnreadable = expect === 'record' || expect === 'hello';
    t.is(judge(bytes(said), derived), isUnreadable ? 'refused' : expect);
  });
}
