import { readFileSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { getSystemErrorName } from 'node:util';
import { endianness } from 'node:os';
import { type Libc, loadLibc } from './libc.ts';

// include/uapi of Linux
const NETLINK_NETFILTER = '12';
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;

/** A socket by which the kernel hands on what its firewall has logged. */
interface NetfilterSocket {
  readonly inode: string;
  /** Messages for which it had no room. */
  readonly drops: number;
}

/** Messages of the firewall's that the sockets of a process had no room for; 0 when there is no such process. */
export function netfilterDrops(pid: number | undefined): number {
  return socketsOf(pid).reduce((sum, { drops }) => sum + drops, 0);
}

/**
 * Gives the sockets over which a process hears of the firewall's log more room, whatever the system's limit.
 * @throws {Error} without CAP_NET_ADMIN and CAP_SYS_PTRACE, and when there is no such process
 * @throws {HknockError} `host` when the C library cannot be called
 */
export async function widenNetfilterBuffers(
  pid: number | undefined,
  length: number,
): Promise<void> {
  const libc = await loadLibc();
  const pidfd = done(libc, libc.pidfdOpen(pid ?? -1));
  try {
    for (const fd of await descriptorsOf(pid, socketsOf(pid))) widen(libc, { pidfd, fd, length });
  } finally {
    libc.close(pidfd);
  }
}

function widen(
  libc: Libc,
  { pidfd, fd, length }: { readonly pidfd: number; readonly fd: number; readonly length: number },
): void {
  const own = done(libc, libc.pidfdGetfd(pidfd, fd));
  try {
    const value = Buffer.alloc(4);
    if (endianness() === 'LE') value.writeInt32LE(length);
    else value.writeInt32BE(length);
    done(libc, libc.setsockopt(own, SOL_SOCKET, SO_RCVBUFFORCE, value, value.length));
  } finally {
    libc.close(own);
  }
}

/** Reads `/proc/net/netlink`: sk, protocol, port id, groups, memory read and written, dump, locks, drops, inode. */
function socketsOf(pid: number | undefined): readonly NetfilterSocket[] {
  return netlinkTable()
    .map((line) => line.trim().split(/\s+/))
    .filter(([, protocol, id]) => protocol === NETLINK_NETFILTER && id === String(pid))
    .map(([, , , , , , , , drops, inode = '']) => ({ inode, drops: Number(drops) }));
}

function netlinkTable(): readonly string[] {
  try {
    return readFileSync('/proc/self/net/netlink', 'latin1').split('\n');
  } catch {
    return []; // not Linux
  }
}

async function descriptorsOf(
  pid: number | undefined,
  sockets: readonly NetfilterSocket[],
): Promise<readonly number[]> {
  const folder = `/proc/${String(pid)}/fd`;
  const wanted = new Set(sockets.map(({ inode }) => `socket:[${inode}]`));
  const names = await readdir(folder);
  const ends = await Promise.all(names.map((name) => readlink(`${folder}/${name}`)));
  return names.filter((_, at) => wanted.has(ends[at] ?? '')).map(Number);
}

function done(libc: Libc, result: number): number {
  if (result !== -1) return result;
  throw new Error(`the kernel refuses: ${getSystemErrorName(-libc.errno())}`);
}
