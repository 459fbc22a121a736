import { closeSync, constants, openSync, readSync } from 'node:fs';
import { systemCode } from '../../errors/system-code.ts';
import type { Timer } from '../../host/clock.ts';
import { parseKernelRecord } from '../../sequence/capture/log-line.ts';
import { type LogFileOptions, unreadable } from './log-file.ts';
import type { PacketSource } from './source.ts';

/** Where the kernel tells what it logs. */
export const KERNEL_LOG = '/dev/kmsg';

/** How often it is read; as long may a knock have to wait. */
const LOOK_EVERY_MS = 20;

/** The longest record (Linux, `CONSOLE_EXT_LOG_MAX`). */
const RECORD_LENGTH = 8192;

/** Read at a time, so that a flood of them leaves time for the rest. */
const RECORDS_AT_A_TIME = 2048;

/** Reads the kernel's log itself, from what is written after we begin: for hosts on which no daemon writes it to a file. */
export class KernelLogSource implements PacketSource {
  readonly restarts = 0;
  readonly #options: LogFileOptions;
  readonly #record = Buffer.alloc(RECORD_LENGTH);
  readonly #file: number;
  /** The number of the record read last. */
  #last: number | null = null;
  #lost = 0;
  #timer: Timer | null = null;

  /** @throws {HknockError} `host` when it cannot be read */
  static start(options: LogFileOptions): KernelLogSource {
    try {
      return new KernelLogSource(options);
    } catch (cause) {
      throw unreadable(options.path, cause);
    }
  }

  private constructor(options: LogFileOptions) {
    this.#options = options;
    this.#file = openSync(options.path, constants.O_RDONLY | constants.O_NONBLOCK);
    // what was logged before is no knock
    while (this.#next() !== null);
    this.#lookLater();
  }

  get lost(): number {
    return this.#lost;
  }

  stop(): Promise<void> {
    if (this.#timer !== null) closeSync(this.#file);
    this.#timer?.cancel();
    this.#timer = null;
    return Promise.resolve();
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      try {
        this.#look();
        this.#lookLater();
      } catch (fault) {
        this.#options.log.error("the kernel's log cannot be read any more", {
          fault: String(fault),
        });
      }
    });
  }

  #look(): void {
    for (let left = RECORDS_AT_A_TIME; left > 0; left--) {
      const text = this.#next();
      if (text === null) return;
      const record = parseKernelRecord(text, this.#options.prefix);
      if (record === null) continue;
      this.#lost += record.number - (this.#last ?? record.number - 1) - 1;
      this.#last = record.number;
      if (record.packet !== 'foreign') this.#options.listener(record.packet);
    }
  }

  /** The next record; null when there is none yet. */
  #next(): string | null {
    for (;;) {
      try {
        return this.#record.toString('latin1', 0, readSync(this.#file, this.#record));
      } catch (fault) {
        const code = systemCode(fault);
        if (code === 'EAGAIN') return null;
        // older ones have been written over in the meantime: the next read goes on behind them
        if (code !== 'EPIPE') throw fault;
      }
    }
  }
}
