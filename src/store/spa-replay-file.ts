import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import type { UnixMs } from '../units/time.ts';
import {
  createPrivateFile,
  readPrivateFile,
  replacePrivateFile,
  writeFault,
} from './private-file.ts';

/** One packet that has been taken. */
interface Packet {
  /** 64 hexadecimal digits. */
  readonly digest: string;
  readonly sentAt: UnixMs;
}

/** All that is remembered. */
export interface ReplayState {
  readonly packets: readonly Packet[];
  /** Everything sent then or before has been forgotten, and is not taken. */
  readonly forgottenUpTo: UnixMs;
}

/**
 * The file `fwknop.replay` of a server's folder: the packets that were taken, one line each, so that none counts twice
 * across a restart. Its first line says up to when packets have been forgotten.
 */
export class SpaReplayFile {
  readonly path: string;
  #file: FileHandle | null = null;
  /** One after the other: a line must not land in the middle of another, nor in a file that is being replaced. */
  #last: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.path = join(directory, 'fwknop.replay');
  }

  /**
   * What an earlier run left; nothing when there was none. A last line that was cut off by a crash is left out: nothing has
   * been opened for it.
   * @throws {HknockError} `config` when the file is not what we wrote
   */
  async read(): Promise<ReplayState> {
    const text = await this.#text();
    if (text === null) return { packets: [], forgottenUpTo: 0 as UnixMs };
    const [first = '', ...lines] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    const packets = lines.slice(0, -1).map(decodeLine);
    const whole = packets.filter((packet) => packet !== null);
    if (!/^\d{1,16}$/.test(first) || whole.length < packets.length) {
      throw new HknockError('config', `${this.path} is damaged`, {
        hint: 'after the longest age that packets may have, delete it: until then a packet could be used twice',
      });
    }
    return { packets: whole, forgottenUpTo: Number(first) as UnixMs };
  }

  /**
   * Begins the file anew with what is remembered now.
   * @throws {HknockError} `host` when it cannot be written
   */
  write({ packets, forgottenUpTo }: ReplayState): Promise<void> {
    const text = `${String(forgottenUpTo)}\n${packets.map(encodeLine).join('')}`;
    return this.#inTurn(async () => {
      await this.#close();
      const isThere = (await this.#text()) !== null;
      await (isThere ? replacePrivateFile(this.path, text) : createPrivateFile(this.path, text));
      this.#file = await open(this.path, 'a', 0o600);
    });
  }

  /**
   * Keeps one more packet; it is on the disk when this resolves.
   * @throws {HknockError} `host` when it cannot be written
   */
  append(packet: Packet): Promise<void> {
    return this.#inTurn(async () => {
      await this.#file?.appendFile(encodeLine(packet));
      await this.#file?.datasync();
    });
  }

  /** Nothing is written any more. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work).catch((fault: unknown) => {
      throw writeFault(this.path, fault);
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #text(): Promise<string | null> {
    try {
      return await readPrivateFile(this.path, { content: 'secret' });
    } catch (fault) {
      if (fault instanceof HknockError && systemCode(fault.cause) === 'ENOENT') return null;
      throw fault;
    }
  }
}

function encodeLine({ digest, sentAt }: Packet): string {
  return `${String(sentAt)} ${digest}\n`;
}

function decodeLine(line: string): Packet | null {
  const match = /^(\d{1,16}) ([0-9a-f]{64})$/.exec(line);
  if (match === null) return null;
  return { sentAt: Number(match[1]) as UnixMs, digest: match[2] ?? '' };
}
