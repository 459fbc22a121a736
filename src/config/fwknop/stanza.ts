/** Where something stands. */
export interface Place {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** One `KEY value` of a file of fwknop's. */
export interface Entry extends Place {
  readonly key: string;
  /** As it stands there: fwknopd takes spaces at the end of a key for a part of it. */
  readonly value: string;
}

/** What has no counterpart, or not the same one. */
export interface Note extends Place {
  readonly sentence: string;
}

/** Told what is lost, and where it stands. */
export type Tell = (place: Place, sentence: string) => void;

/** What stands under one SOURCE or one `[name]`: each entry to be taken once; of two with one key the last counts. */
export class Stanza {
  readonly name: string;
  readonly place: Place;
  readonly #entries: Map<string, Entry>;

  constructor(name: string, place: Place, entries: readonly Entry[]) {
    this.name = name;
    this.place = place;
    this.#entries = new Map(entries.map((entry) => [entry.key, entry] as const));
  }

  take(key: string): Entry | null {
    const entry = this.#entries.get(key) ?? null;
    this.#entries.delete(key);
    return entry;
  }

  /** The value without spaces around it; null when there is none. */
  takeWord(key: string): string | null {
    return this.take(key)?.value.trim() ?? null;
  }

  left(): readonly Entry[] {
    return [...this.#entries.values()];
  }
}

/** Collects notes, each once: what stands under `[default]` is read for every stanza. */
export class Notes {
  readonly #notes = new Map<string, Note>();

  readonly tell: Tell = ({ file, line }, sentence) => {
    this.#notes.set(`${file} ${String(line)} ${sentence}`, { file, line, sentence });
  };

  /** In the order of the lines, file by file. */
  all(): readonly Note[] {
    return [...this.#notes.values()].sort(
      (a, b) => a.file.localeCompare(b.file) || a.line - b.line,
    );
  }
}
