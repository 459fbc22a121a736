import { join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import type { UnixMs } from '../units/time.ts';
import { Journal } from './journal.ts';
import { MAX_FILE_LENGTH } from './private-file.ts';

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
  readonly #journal: Journal;

  /**
   * Gives what an earlier run left; nothing when there was none. A last line that was cut off by a crash is left out: nothing has
   * been opened for it.
   * @throws {HknockError} `config` when the file is not what we wrote, `host` when the system refuses
   */
  static async open(
    directory: string,
  ): Promise<{ readonly file: SpaReplayFile; readonly state: ReplayState }> {
    const path = join(directory, 'fwknop.replay');
    const opened = await Journal.open(path, { maxLength: MAX_FILE_LENGTH, onDisk: true });
    const { journal, lines, isNew } = opened;
    const state = isNew ? { packets: [], forgottenUpTo: 0 as UnixMs } : decode(lines);
    if (state !== null) return { file: new SpaReplayFile(journal), state };
    await journal.close();
    throw new HknockError('config', `${path} is damaged`, {
      hint: 'after the longest age that packets may have, delete it: until then a packet could be used twice',
    });
  }

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  /**
   * Begins the file anew with what is remembered now.
   * @throws {HknockError} `host` when it cannot be written
   */
  write({ packets, forgottenUpTo }: ReplayState): Promise<void> {
    return this.#journal.replace([String(forgottenUpTo), ...packets.map(encodeLine)]);
  }

  /**
   * Keeps one more packet; it is on the disk when this resolves.
   * @throws {HknockError} `host` when it cannot be written
   */
  append(packet: Packet): Promise<void> {
    return this.#journal.append(encodeLine(packet));
  }

  /** Nothing is written any more. */
  close(): Promise<void> {
    return this.#journal.close();
  }
}

function decode([first = '', ...lines]: readonly string[]): ReplayState | null {
  const packets = lines.map(decodeLine).filter((packet) => packet !== null);
  const isWhole = /^\d{1,16}$/.test(first) && packets.length === lines.length;
  return isWhole ? { packets, forgottenUpTo: Number(first) as UnixMs } : null;
}

function encodeLine({ digest, sentAt }: Packet): string {
  return `${String(sentAt)} ${digest}`;
}

function decodeLine(line: string): Packet | null {
  const match = /^(\d{1,16}) ([0-9a-f]{64})$/.exec(line);
  if (match === null) return null;
  return { sentAt: Number(match[1]) as UnixMs, digest: match[2] ?? '' };
}
