import { Socket } from 'node:net';
import { endianness } from 'node:os';
import { familyOf } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Endpoint } from '../units/network.ts';
import { type Libc, loadLibc } from './libc.ts';
import { AF_INET, AF_INET6, native, socketAddress, systemFault } from './socket-address.ts';

// include/uapi of Linux; the same numbers on every architecture for which Node is built
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_REPAIR = 19;
const TCP_REPAIR_QUEUE = 20;
const TCP_QUEUE_SEQ = 21;
const TCP_SEND_QUEUE = 2;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const POLLOUT = 4;
const ETIMEDOUT = 110;
const EINPROGRESS = 115;

export interface SequencedConnection {
  readonly remote: Endpoint;
  /** Port 0 leaves it to the system. */
  readonly local: Endpoint;
  /** The sequence number of the SYN: 1 to 2^32 - 1. */
  readonly sequence: number;
  readonly timeoutMs: number;
}

/** Whether this process may set the sequence number of a connection: it needs Linux and CAP_NET_ADMIN. */
export async function canSetSequence(): Promise<boolean> {
  try {
    const libc = await loadLibc();
    const fd = open(libc, AF_INET);
    try {
      setOption(libc, fd, [IPPROTO_TCP, TCP_REPAIR, 1]);
      return true;
    } finally {
      libc.close(fd);
    }
  } catch (fault) {
    if (fault instanceof HknockError || isSystemFault(fault)) return false;
    throw fault;
  }
}

/**
 * Opens a TCP connection whose SYN has the given sequence number: the kernel takes it from the send queue of a socket
 * under repair (tcp(7), TCP_REPAIR; net/ipv4/tcp_ipv4.c, tcp_v4_connect).
 * @throws {HknockError} `host` when it cannot
 * @throws {Error} with the system's `code` when there is no connection
 */
export async function connectSequenced(options: SequencedConnection): Promise<Socket> {
  const { remote, local, sequence, timeoutMs } = options;
  const libc = await loadLibc();
  const fd = open(libc, familyOf(remote.address) === 4 ? AF_INET : AF_INET6);
  try {
    for (const option of [
      [IPPROTO_TCP, TCP_REPAIR, 1],
      [IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE],
      [IPPROTO_TCP, TCP_QUEUE_SEQ, sequence],
      [IPPROTO_TCP, TCP_REPAIR, 0],
      [IPPROTO_TCP, TCP_NODELAY, 1],
    ] as const) {
      setOption(libc, fd, option);
    }
    const [from, to] = [socketAddress(local), socketAddress(remote)];
    if (libc.bind(fd, from, from.length) === -1) throw systemFault('bind', libc.errno());
    if (libc.connect(fd, to, to.length) === -1 && libc.errno() !== EINPROGRESS) {
      throw systemFault('connect', libc.errno());
    }
    await connected(libc, fd, timeoutMs);
    return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (fault) {
    libc.close(fd);
    throw fault;
  }
}

function open(libc: Libc, family: number): number {
  const fd = libc.socket(family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
  if (fd === -1) throw systemFault('socket', libc.errno());
  return fd;
}

function setOption(
  libc: Libc,
  fd: number,
  [level, name, value]: readonly [level: number, name: number, value: number],
): void {
  const bytes = native(value, 4);
  if (libc.setsockopt(fd, level, name, bytes, bytes.length) !== -1) return;
  const cause = systemFault('setsockopt', libc.errno());
  if (cause.code !== 'EPERM') throw cause;
  throw new HknockError('host', 'no privilege to set the sequence number of a connection', {
    hint: 'it takes root or CAP_NET_ADMIN; without them ask for another admission',
    cause,
  });
}

async function connected(libc: Libc, fd: number, timeoutMs: number): Promise<void> {
  const wanted = Buffer.concat([native(fd, 4), native(POLLOUT, 2), native(0, 2)]);
  if ((await libc.poll(wanted, 1, timeoutMs)) === 0) throw systemFault('connect', ETIMEDOUT);
  const [error, length] = [native(0, 4), native(4, 4)];
  libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, error, length);
  const code = endianness() === 'LE' ? error.readUInt32LE() : error.readUInt32BE();
  if (code !== 0) throw systemFault('connect', code);
}

function isSystemFault(fault: unknown): fault is ReturnType<typeof systemFault> {
  return fault instanceof Error && 'syscall' in fault;
}
