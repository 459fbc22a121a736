/** One `key = value` of a knockd.conf. */
export interface Entry {
  /** Counted from 1. */
  readonly line: number;
  /** In lower case, as knockd reads it. */
  readonly key: string;
  /** Empty for a word by itself, such as `UseSyslog`. */
  readonly value: string;
}

/** What stands under one `[name]`. */
export interface Section {
  readonly line: number;
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** What of a knockd.conf has no counterpart, or not the same one. */
export interface Note {
  readonly line: number;
  readonly sentence: string;
}

/** Takes a knockd.conf (knockd 0.8) apart; lines that are none of its are noted. */
export function readSections(text: string): {
  readonly sections: readonly Section[];
  readonly notes: readonly Note[];
} {
  const sections: { line: number; name: string; entries: Entry[] }[] = [];
  const notes: Note[] = [];
  text.split('\n').forEach((raw, at) => {
    const line = at + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return;
    const title = /^\[(.*)\]$/.exec(content)?.[1];
    if (title !== undefined) {
      sections.push({ line, name: title.trim(), entries: [] });
      return;
    }
    const section = sections.at(-1);
    if (section === undefined) notes.push({ line, sentence: 'it stands under no [name]' });
    else section.entries.push(entryOf(content, line));
  });
  return { sections, notes };
}

function entryOf(content: string, line: number): Entry {
  const at = content.indexOf('=');
  const [key, value] = at < 0 ? [content, ''] : [content.slice(0, at), content.slice(at + 1)];
  return { line, key: key.trim().toLowerCase(), value: value.trim() };
}
