import test from 'ava';
import { gateKey } from '../../src/admission/gate/gate-key.ts';
import { parseAddress } from '../../src/bytes/address.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { numberOf, silentKey, silentStepAt, turnSecrets } from '../../src/silent/numbers.ts';
import { stealthNumber } from '../../src/silent/tcp-stealth.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { Endpoint } from '../../src/units/network.ts';
import type { UnixMs } from '../../src/units/time.ts';
import { bytes, readVectors } from './vector-file.ts';

for (const vector of readVectors('silent')) {
  test(vector.name, (t) => {
    const { unixSeconds, slot, gate } = vector;
    const step = silentStepAt((unixSeconds * 1000 + 999) as UnixMs);
    t.is(step, vector.step);
    const key = silentKey({ secret: bytes(vector.secret), responderId: bytes(vector.responderId) });
    t.is(toHex(key.of(bytes(vector.message))), vector.turnSecret);
    const target = {
      service: parseServiceName(vector.service),
      destination: endpoint(vector.destination),
    };
    const secret = turnSecrets(key, target)({ step, slot });
    t.is(toHex(secret), vector.turnSecret);
    t.is(numberOf(secret), vector.initialSequence);
    const { identity, key: psk } = gateKey(secret);
    t.deepEqual({ identity, key: toHex(psk) }, gate);
  });
}

for (const vector of readVectors('tcp-stealth')) {
  const { name, secret, destination, timestamp, integrity, initialSequence } = vector;
  test(name, (t) => {
    const syn = { destination: endpoint(destination), timestamp, integrity };
    t.is(stealthNumber(bytes(secret), syn), initialSequence);
  });
}

function endpoint({ address: text, port }: { address: string; port: number }): Endpoint {
  const address = parseAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return { address, port };
}
