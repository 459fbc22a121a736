import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HknockError } from '../../errors/hknock-error.ts';
import { readPrivateFile } from '../../store/private-file.ts';
import type { Entry } from './stanza.ts';

/** How deep files may include others, as in fwknopd. */
const MAX_DEPTH = 3;

/**
 * The entries of an access.conf, with those of the files that it includes in their places.
 * @throws {HknockError} `bad-input` when a file is missing or they include each other too deep, `config` when others have access to one
 */
export async function readAccessFile(file: string, depth = 0): Promise<readonly Entry[]> {
  if (depth > MAX_DEPTH) throw new HknockError('bad-input', `${file} is included too deep`);
  const text = await readPrivateFile(file, { content: 'secret', code: 'bad-input' });
  const entries: Entry[] = [];
  for (const entry of readEntries(text, file)) {
    const included = await includedBy(entry);
    if (included === null) entries.push(entry);
    else for (const each of included) entries.push(...(await readAccessFile(each, depth + 1)));
  }
  return entries;
}

/** `KEY value` or `KEY: value`, up to a semicolon. */
function readEntries(text: string, file: string): readonly Entry[] {
  return text.split(/\r?\n/).flatMap((raw, at) => {
    const [, key = '', value = ''] = /^\s*([^\s;#][^\s;]*)\s*([^;]*)/.exec(raw) ?? [];
    return key === '' ? [] : [{ file, line: at + 1, key: key.replace(/:$/, ''), value }];
  });
}

async function includedBy({ file, key, value }: Entry): Promise<readonly string[] | null> {
  const path = resolve(dirname(file), value.trim());
  switch (key) {
    case '%include':
    case '%include_keys':
      return [path];
    case '%include_folder': {
      const names = await readdir(path).catch((cause: unknown) => {
        throw new HknockError('bad-input', `${path} cannot be read`, { cause });
      });
      return names
        .filter((name) => name.endsWith('.conf'))
        .sort()
        .map((name) => join(path, name));
    }
    default:
      return null;
  }
}
