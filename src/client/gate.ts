import type { Socket, TcpNetConnectOpts } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { gateKey } from '../admission/gate/gate-key.ts';
import { encodePreface } from '../admission/gate/preface.ts';
import { tlsParameters } from '../admission/gate/tls-parameters.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { ServicePort } from '../units/network.ts';

const NO_CERTIFICATE = new Error('the server showed a certificate in place of the key');

/** Begins the TLS connection to a gate: only whoever holds the session secret can be at its other end. */
export function beginTls(
  where: TcpNetConnectOpts | { readonly socket: Socket },
  sessionSecret: Uint8Array,
): TLSSocket {
  const { identity, key } = gateKey(sessionSecret);
  return connect({
    ...where,
    ...tlsParameters,
    pskCallback: () => ({ psk: Buffer.from(key), identity }),
    // a certificate proves nothing here, whoever signed it: without the key there is no connection
    ca: [],
    checkServerIdentity: () => NO_CERTIFICATE,
  });
}

/** Makes sure that the server proved the key. @throws {HknockError} `connection` when it did not */
export function requireProof(tls: TLSSocket): void {
  // TLS 1.3 knows a session and an external key by the same name
  if (tls.isSessionReused()) return;
  tls.destroy();
  throw new HknockError('connection', 'granted, but what answers is not the gate', {
    hint: 'somebody on the way to the server may have taken the connection over',
  });
}

/** Tells the gate where to. */
export function enterGate(tls: TLSSocket, service: ServicePort): void {
  tls.write(encodePreface(service));
}
