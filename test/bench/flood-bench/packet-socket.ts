import koffi from 'koffi';
import { readFileSync } from 'node:fs';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const ENOBUFS = 105;
const EAGAIN = 11;

/** Sizes of `struct iovec` and `struct mmsghdr` where a pointer has 64 bits. */
const IOVEC = 16;
const MMSGHDR = 64;

/** How the frames are sent, for the results. */
export const manner = 'a packet socket (AF_PACKET) and sendmmsg(2) through koffi';

/** Frames that can be sent many at a time, by one call of the kernel for each batch. */
export class PacketSocket {
  readonly #fd: number;
  readonly #messages: Buffer;
  readonly #count: number;
  // the kernel is told where they are: they must stay there
  readonly #kept: readonly Buffer[];
  readonly #sendmmsg: (fd: number, messages: Uint8Array, count: number, flags: number) => number;
  readonly #close: (fd: number) => number;

  /** @param frames in one buffer, as long as `lengths` says */
  constructor(device: string, frames: Buffer, lengths: readonly number[]) {
    const libc = koffi.load(null);
    const socket = libc.func('int socket(int family, int type, int protocol)');
    const bind = libc.func('int bind(int fd, const void *address, uint32_t length)');
    this.#sendmmsg = libc.func(
      'int sendmmsg(int fd, const void *messages, unsigned int count, int flags)',
    );
    this.#close = libc.func('int close(int fd)');
    // protocol 0: it receives nothing
    this.#fd = Number(socket(AF_PACKET, SOCK_RAW, 0));
    const address = Buffer.alloc(20);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeInt32LE(Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'latin1')), 4);
    if (this.#fd < 0 || bind(this.#fd, address, address.length) !== 0) {
      throw new Error(`no packet socket at ${device}: errno ${String(koffi.errno())}`);
    }
    this.#count = lengths.length;
    const vectors = vectorsOf(koffi.address(frames), lengths);
    this.#messages = messagesOf(koffi.address(vectors), lengths.length);
    this.#kept = [frames, vectors];
  }

  /** Sends up to so many from the place `from` on; gives how many went, 0 when the kernel had no room. */
  send(from: number, most: number): number {
    const count = Math.min(most, this.#count - from);
    const sent = this.#sendmmsg(this.#fd, this.#messages.subarray(from * MMSGHDR), count, 0);
    if (sent >= 0) return sent;
    const errno = koffi.errno();
    if (errno === ENOBUFS || errno === EAGAIN) return 0;
    throw new Error(`sendmmsg of ${String(this.#kept.length)}: errno ${String(errno)}`);
  }

  close(): void {
    this.#close(this.#fd);
  }
}

function vectorsOf(frames: bigint, lengths: readonly number[]): Buffer {
  const vectors = Buffer.alloc(lengths.length * IOVEC);
  let at = 0;
  lengths.forEach((length, index) => {
    vectors.writeBigUInt64LE(frames + BigInt(at), index * IOVEC);
    vectors.writeBigUInt64LE(BigInt(length), index * IOVEC + 8);
    at += length;
  });
  return vectors;
}

function messagesOf(vectors: bigint, count: number): Buffer {
  const messages = Buffer.alloc(count * MMSGHDR);
  for (let index = 0; index < count; index++) {
    messages.writeBigUInt64LE(vectors + BigInt(index * IOVEC), index * MMSGHDR + 16);
    messages.writeBigUInt64LE(1n, index * MMSGHDR + 24);
  }
  return messages;
}
