import { parseAddress } from '../../../src/bytes/address.ts';
import type { Plan } from '../../../src/policy/policy.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { type IpAddress, parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';

export const alice = parsePeerName('alice');
export const bob = parsePeerName('bob');
export const ssh = parseServicePort('tcp/22');

/** An address; throws when the text is none. */
export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

export const home = address('203.0.113.7');

/** A plan of alice's for one connection to ssh in 30 s, with what differs from that. */
export function plan(changes: Partial<Plan> = {}): Plan {
  return {
    peer: alice,
    service: parseServiceName('ssh'),
    source: home,
    ports: [ssh],
    admission: 'once',
    lifetimeMs: parseDuration('30s'),
    ...changes,
  };
}
