import { HknockError } from '../errors/hknock-error.ts';

/** The few calls of Linux's C library to which Node has no door; those that fail give -1. */
export interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (...[fd, level, name, value, length]: SetOption) => number;
  readonly getsockopt: (...[fd, level, name, value, length]: GetOption) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
  readonly ioctl: (fd: number, request: number, argument: Uint8Array) => number;
  readonly dup: (fd: number) => number;
  /** Waits on a thread of its own. */
  readonly poll: (fds: Uint8Array, count: number, timeoutMs: number) => Promise<number>;
  /** pidfd_open(2): a descriptor for a process. */
  readonly pidfdOpen: (pid: number) => number;
  /** pidfd_getfd(2): a descriptor of our own for what one of that process stands for. */
  readonly pidfdGetfd: (pidfd: number, fd: number) => number;
  /** adjtimex(2): what the kernel knows of its clock, and 5 (TIME_ERROR) when nothing keeps it right. */
  readonly adjtimex: (timex: Uint8Array) => number;
  /** Why the last call failed. */
  readonly errno: () => number;
}

type SetOption = [fd: number, level: number, name: number, value: Uint8Array, length: number];
type GetOption = [fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array];

// numbers that came after 424 are the same on every architecture for which Node is built
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

/**
 * Loaded when it is first needed: nothing else in hknock runs native code of others.
 * @throws {HknockError} `host` when this is not Linux, or koffi is not built for it
 */
export async function loadLibc(): Promise<Libc> {
  const unavailable = 'what this takes of the C library is there on Linux only';
  if (process.platform !== 'linux') throw new HknockError('host', unavailable);
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load(null);
    // the calls by name came with glibc 2.36 only
    const syscall = libc.func('long syscall(long number, ...)');
    const ioctl = libc.func('int ioctl(int fd, unsigned long request, ...)');
    const poll = libc.func('int poll(void *fds, unsigned long count, int timeout)');
    return {
      socket: libc.func('int socket(int family, int type, int protocol)'),
      setsockopt: libc.func(
        'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
      ),
      getsockopt: libc.func(
        'int getsockopt(int fd, int level, int name, void *value, void *length)',
      ),
      bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
      connect: libc.func('int connect(int fd, const void *address, uint32_t length)'),
      close: libc.func('int close(int fd)'),
      ioctl: (fd, request, argument) => Number(ioctl(fd, request, 'void *', argument)),
      dup: libc.func('int dup(int fd)'),
      pidfdOpen: (pid) => Number(syscall(PIDFD_OPEN, 'int', pid, 'int', 0)),
      pidfdGetfd: (pidfd, fd) => Number(syscall(PIDFD_GETFD, 'int', pidfd, 'int', fd, 'int', 0)),
      adjtimex: libc.func('int adjtimex(void *timex)'),
      poll: (...args) =>
        new Promise((resolve, reject) => {
          poll.async(...args, (error: unknown, result: number) => {
            if (error === null) resolve(result);
            else reject(new Error('poll failed', { cause: error }));
          });
        }),
      errno: () => koffi.errno(),
    };
  } catch (cause) {
    throw new HknockError('host', 'koffi, which calls the C library, cannot be loaded', { cause });
  }
}
