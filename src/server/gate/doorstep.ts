import type { Socket } from 'node:net';
import { parseAddress } from '../../bytes/address.ts';
import {
  MAX_HELLO_LENGTH,
  type PskHello,
  readPskHello,
} from '../../admission/gate/client-hello.ts';
import type { IpAddress } from '../../units/network.ts';
import { connectionName, type WaitingRoom } from './waiting-room.ts';

export interface DoorstepOptions {
  readonly room: WaitingRoom;
  /** Whether this hello proves a key that lets its source in. */
  readonly isProven: (hello: PskHello, source: IpAddress) => boolean;
  /** Called with a connection that is proven; what it has said is to be read from it once more. */
  readonly onProven: (socket: Socket) => void;
}

/** Where strangers stand: they are listened to, and not answered. */
export class Doorstep {
  readonly #options: DoorstepOptions;
  #met = 0;
  #unproven = 0;

  constructor(options: DoorstepOptions) {
    this.#options = options;
  }

  counters(): { readonly connections: number; readonly unproven: number } {
    return { connections: this.#met, unproven: this.#unproven };
  }

  meet(socket: Socket): void {
    socket.on('error', () => undefined); // 'close' tells of the same end
    const source = parseAddress(socket.remoteAddress ?? '');
    if (source === null) {
      socket.destroy(); // it has gone already
      return;
    }
    this.#met++;
    this.#options.room.enter(socket, source);
    this.#listen(socket, source);
  }

  // Whoever does not prove himself hears nothing until his time is over, and is listened to just as far, whatever he says:
  // nothing tells him how far he came.
  #listen(socket: Socket, source: IpAddress): void {
    let heard: Buffer = Buffer.alloc(0);
    let isStranger = false;
    const hear = (bytes: Buffer): void => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length > MAX_HELLO_LENGTH) socket.pause();
      const hello = isStranger ? null : readPskHello(heard);
      if (isStranger || hello === 'more') return;
      if (hello !== null && this.#options.isProven(hello, source)) {
        socket.off('data', hear).pause();
        socket.unshift(heard);
        this.#options.room.keep(connectionName(socket));
        this.#options.onProven(socket);
      } else {
        isStranger = true;
        this.#unproven++;
      }
    };
    socket.on('data', hear);
  }
}
