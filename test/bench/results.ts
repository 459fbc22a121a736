import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('results', import.meta.url));

/** Keeps a picture where the README shows it from: each run replaces that of the last. Gives its path in the project. */
export async function keepPicture(name: string, svg: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(path, svg);
  return relative(process.cwd(), path);
}
