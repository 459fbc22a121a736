import test from 'ava';
import { parseEndpoint } from '../../../src/config/endpoint.ts';
import type { ServiceConfig } from '../../../src/config/server-config.ts';
import { policyOf, protectedPorts, requireEnforceable } from '../../../src/server/policy.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { faultOf } from '../store/scratch.ts';

const policy = {
  admission: 'once',
  ttlMs: parseDuration('30s'),
  flowKeepMs: parseDuration('1h'),
  cutOnRevoke: true,
} as const;

function service(changes: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: parseServiceName('ssh'),
    ports: [parseServicePort('tcp/22'), parseServicePort('udp/60001')],
    upstream: null,
    proxyProtocol: false,
    admission: null,
    ttlMs: null,
    flowKeepMs: null,
    ...changes,
  };
}

const services = (each: ServiceConfig) => new Map([[each.name, each]]);

test('a service that says nothing takes what the policy says', (t) => {
  const { name, ports } = service();
  const made = policyOf({ services: services(service()), policy }, new Map());
  t.deepEqual(made.services.get(name), {
    name,
    ports,
    admission: 'once',
    lifetimeMs: policy.ttlMs,
    flowKeepMs: policy.flowKeepMs,
  });
});

test('what a service says counts before the policy', (t) => {
  const own = service({
    admission: 'address',
    ttlMs: parseDuration('2m'),
    flowKeepMs: parseDuration('0s'),
  });
  const made = policyOf({ services: services(own), policy }, new Map());
  t.like(made.services.get(own.name), { admission: 'address', lifetimeMs: 120_000, flowKeepMs: 0 });
});

test('a peer carries its own limits and never its keys', (t) => {
  const name = parsePeerName('alice');
  const record = {
    name,
    tag: new Uint8Array(8),
    secret: new Uint8Array(32),
    totp: null,
    services: [service().name],
    admission: 'once',
    ttlMs: parseDuration('5s'),
    cutOnRevoke: false,
  } as const;
  const made = policyOf({ services: new Map(), policy }, new Map([[name, record]]));
  t.deepEqual(made.peers.get(name), {
    name,
    services: [service().name],
    admission: 'once',
    lifetimeMs: parseDuration('5s'),
  });
});

test('prefixes are refused where the firewall cannot admit them, and the service is named', async (t) => {
  const own = policyOf({ services: services(service({ prefix: true })), policy }, new Map());
  const admissions = ['address', 'once'] as const;
  const fault = await faultOf(() => {
    requireEnforceable(own, { admissions });
  });
  t.is(fault.code, 'config');
  t.regex(fault.message, /'ssh'/);
  t.notThrows(() => {
    requireEnforceable(own, { admissions, prefixes: true });
  });
});

test('every port of every service is protected, each with its own upstream', (t) => {
  const upstream = [parseEndpoint('127.0.0.1:2222'), parseEndpoint('127.0.0.1:6001')];
  t.deepEqual(protectedPorts({ services: services(service({ upstream })) }), [
    { service: service().name, port: parseServicePort('tcp/22'), upstream: upstream[0] },
    { service: service().name, port: parseServicePort('udp/60001'), upstream: upstream[1] },
  ]);
  t.deepEqual(
    protectedPorts({ services: services(service()) }).map((each) => each.upstream),
    [null, null],
  );
});
