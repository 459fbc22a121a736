import { HknockError } from '../errors/hknock-error.ts';

/** The few calls of Linux's C library to which Node has no door; those that fail give -1. */
export interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (...[fd, level, name, value, length]: SetOption) => number;
  readonly getsockopt: (...[fd, level, name, value, length]: GetOption) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
  /** Waits on a thread of its own. */
  readonly poll: (fds: Uint8Array, count: number, timeoutMs: number) => Promise<number>;
  /** Why the last call failed. */
  readonly errno: () => number;
}

type SetOption = [fd: number, level: number, name: number, value: Uint8Array, length: number];
type GetOption = [fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array];

/**
 * Loaded when it is first needed: nothing else in hknock runs native code of others.
 * @throws {HknockError} `host` when this is not Linux, or koffi is not built for it
 */
export async function loadLibc(): Promise<Libc> {
  const unavailable = 'the initial sequence number of a connection can be set on Linux only';
  if (process.platform !== 'linux') throw new HknockError('host', unavailable);
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load(null);
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
