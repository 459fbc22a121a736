import { join } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';
import { SIGNALLED } from './run-command.ts';
import { tell } from './terminal.ts';

export interface LabOptions {
  readonly config?: string;
  readonly scheme?: string;
  readonly attacker?: string;
  readonly atOnce: number;
  readonly pcap?: string;
  readonly json?: true;
  readonly html?: string;
  readonly report?: string;
}

/** One of that name, or all. @throws {HknockError} `usage` when there is none such */
export function named<T extends { readonly name: string }>(
  all: readonly T[],
  name: string | undefined,
): readonly T[] {
  const found = all.filter((each) => name === undefined || each.name === name);
  if (found.length > 0) return found;
  throw new HknockError('usage', `there is no '${name ?? ''}'`, {
    hint: `there are: ${all.map((each) => each.name).join(', ')}`,
  });
}

/** @throws {HknockError} `host` when a program is missing */
export async function requirePrograms(
  needed: readonly string[],
  { pcap }: Pick<LabOptions, 'pcap'>,
): Promise<void> {
  const { missingPrograms } = await import('../lab/programs.ts');
  const missing = missingPrograms(pcap === undefined ? needed : [...needed, 'tcpdump']);
  if (missing.length === 0) return;
  throw new HknockError('host', `not installed: ${missing.join(', ')}`, {
    hint: 'on Debian: apt-get install nftables iproute2 procps iptables ipset knockd fwknop-client fwknop-server tcpdump',
  });
}

/** Has all namespaces and files go when the program is broken off. */
export async function removeWhenInterrupted(): Promise<void> {
  const { removeCells } = await import('../lab/run-cell.ts');
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      void removeCells().finally(() => process.exit(SIGNALLED + number));
    });
  }
}

/** What a run leaves behind. */
export interface Kept {
  readonly html: () => Promise<string>;
  readonly json: object;
}

/** Writes the reports that are wanted. @throws {HknockError} `host` when one cannot be written */
export async function keepReports(
  { html, report }: Pick<LabOptions, 'html' | 'report'>,
  kept: Kept,
): Promise<void> {
  if (html !== undefined) await writeReport(html, kept);
  if (report !== undefined) await fillFolder(report, kept);
}

async function fillFolder(folder: string, kept: Kept): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(folder, { recursive: true }).catch(cannotWrite(folder));
  await write(join(folder, 'cells.json'), `${JSON.stringify(kept.json, null, 2)}\n`);
  await writeReport(join(folder, 'index.html'), kept);
}

async function writeReport(path: string, { html }: Kept): Promise<void> {
  await write(path, await html());
  tell(`the report is in ${path}`);
}

async function write(path: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(path, text).catch(cannotWrite(path));
}

function cannotWrite(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new HknockError('host', `${path} cannot be written`, { cause });
  };
}
