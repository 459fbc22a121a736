import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { connectGranted } from '../../../src/client/connect.ts';
import type { Port } from '../../../src/units/network.ts';
import { GateStage } from '../server/gate/gates.ts';
import { faultOf } from '../store/scratch.ts';
import { selfSigned } from './self-signed.ts';

/** Somebody in the gate's place, who lets anybody in. */
async function impostor(t: ExecutionContext, options: TlsOptions): Promise<Port> {
  const server = createServer({ minVersion: 'TLSv1.3', ...options }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port as Port;
}

test('a server that shows a certificate in place of the key is not the gate', async (t) => {
  const stage = await GateStage.create(t, 1 as Port);
  const admissionPort = await impostor(t, await selfSigned(t));
  const fault = await faultOf(() => connectGranted({ ...stage.grant(), admissionPort }));
  t.is(fault.code, 'connection');
});

test('nor is one that has another key', async (t) => {
  const stage = await GateStage.create(t, 1 as Port);
  const pskCallback = () => Buffer.alloc(32, 1);
  const admissionPort = await impostor(t, { ciphers: 'TLS_AES_128_GCM_SHA256', pskCallback });
  const fault = await faultOf(() => connectGranted({ ...stage.grant(), admissionPort }));
  t.is(fault.code, 'connection');
});
