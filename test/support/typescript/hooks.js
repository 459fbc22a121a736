// ts-blank-space as a loader, but for what it has made before: half of the time that a short test file takes goes into loading
// the TypeScript compiler. What is kept is named after the text that it was made of, so it is never out of date.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { URL, fileURLToPath } from 'node:url';

const root = new URL('../../../node_modules/', import.meta.url);
const kept = fileURLToPath(new URL('.cache/hknock-typescript/', root));
const version = readFileSync(new URL('ts-blank-space/package.json', root));

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  const name = kept + createHash('sha256').update(version).update(text).digest('hex');
  const source = read(name) ?? keep(name, await blank(text));
  return { format: 'module', shortCircuit: true, source: `${source}\n//# sourceURL=${url}` };
}

async function blank(text) {
  const { default: blankSpace } = await import('ts-blank-space');
  return blankSpace(text);
}

function read(name) {
  try {
    return readFileSync(name, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

// whole or not at all: many test files are loaded at once, and some are ended in the middle
function keep(name, source) {
  mkdirSync(kept, { recursive: true });
  const draft = `${name}.${randomUUID()}`;
  writeFileSync(draft, source);
  renameSync(draft, name);
  return source;
}
