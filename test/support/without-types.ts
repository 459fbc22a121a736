// The tests, and all that they test, as Node reads them by itself: a loader's thread, and the way to it and back for each module that
// is imported, take as long as most test files.
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import blankSpace from 'ts-blank-space';

/** What is written in TypeScript. */
const sources = ['src', 'test', 'fixtures'];

/** What is copied: the built program and what it depends on, since another user may not get to where a link leads. */
const program = ['dist', ...dependencies()];

interface Manifest {
  readonly ava: { readonly files: readonly string[] };
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** Makes a folder in which everything is as in ours, but without types: every file has its lines and columns still. */
export function mirrorWithoutTypes(folder: string): void {
  mkdirSync(folder);
  for (const name of readdirSync('.')) {
    if (name === 'package.json') writeFileSync(join(folder, name), manifestWithoutTypes());
    else mirror(name, join(folder, name));
  }
}

/** Names TypeScript files as they are called in the mirror. */
export function nameWithoutTypes(pattern: string): string {
  return pattern.replace(/\.ts\b/, '.js');
}

function mirror(from: string, to: string): void {
  const isSource = sources.some((each) => from === each || from.startsWith(`${each}/`));
  const holdsProgram = program.some((each) => each.startsWith(`${from}/`));
  if (program.includes(from)) {
    cpSync(from, to, { recursive: true });
  } else if (holdsProgram || (isSource && statSync(from).isDirectory())) {
    mkdirSync(to);
    for (const name of readdirSync(from)) mirror(join(from, name), join(to, name));
  } else if (isSource && from.endsWith('.ts')) {
    writeFileSync(nameWithoutTypes(to), withoutTypes(from));
  } else {
    symlinkSync(resolve(from), to);
  }
}

function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile;
  return Object.keys(packages).filter((path) => path !== '' && packages[path]?.dev !== true);
}

function withoutTypes(path: string): string {
  const text = blankSpace(readFileSync(path, 'utf8'));
  // modules are named by their paths, in imports and as programs to run
  const renamed = text.replace(/'([\w./-]+)\.ts'/g, "'$1.js'");
  // a stack trace leads to what a person reads
  return `${renamed}\n//# sourceURL=${pathToFileURL(path).href}\n`;
}

function manifestWithoutTypes(): string {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
  const files = manifest.ava.files.map(nameWithoutTypes);
  const ava = { ...manifest.ava, files, extensions: { js: true }, nodeArguments: [] };
  return JSON.stringify({ ...manifest, ava });
}
