import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { tlsParameters } from '../../admission/gate/tls-parameters.ts';

export interface TlsEndOptions {
  /** The key under this identity, if it may still be used. */
  readonly keyOf: (identity: string) => Uint8Array | null;
  /** Called with a connection whose client has proved the key of this identity. */
  readonly onSecure: (socket: TLSSocket, identity: string) => void;
}

/** The server's end of TLS for connections that are there already. */
export class TlsEnd {
  readonly #tls: Server;
  readonly #identities = new WeakMap<TLSSocket, string>();

  constructor({ keyOf, onSecure }: TlsEndOptions) {
    this.#tls = createServer({
      ...tlsParameters,
      pskCallback: (socket, identity) => {
        this.#identities.set(socket, identity);
        const key = keyOf(identity);
        return key === null ? null : Buffer.from(key);
      },
    });
    this.#tls.on('secureConnection', (socket) => {
      const identity = this.#identities.get(socket);
      if (identity === undefined) socket.destroy();
      else onSecure(socket, identity);
    });
    this.#tls.on('tlsClientError', (_, socket) => {
      socket.destroy();
    });
  }

  /** Has the client prove itself in full; what it has said so far is read from the socket. */
  secure(socket: Socket): void {
    this.#tls.emit('connection', socket);
  }
}
