import type { Place } from './machine.ts';

/** Rules and sets of one of the kernel's tables as text, without the elements, which come and go; null when there is none. */
export async function tableIn(place: Place, table: string): Promise<string | null> {
  const show = ['nft', '-s', '-t', 'list', 'table', ...table.split(' ')];
  const { code, stdout } = await place.exec(show, { allowFailure: true });
  return code === 0 ? stdout : null;
}

/** The names of all tables, such as `inet hknock`. */
export async function tablesIn(place: Place): Promise<readonly string[]> {
  const { stdout } = await place.exec(['nft', 'list', 'tables']);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^table /, ''))
    .sort();
}

/** How many grants the kernel itself holds in our table. */
export async function grantsInKernel(place: Place): Promise<number> {
  const { stdout } = await place.exec(['nft', 'list', 'table', 'inet', 'hknock']);
  return stdout.match(/ expires /g)?.length ?? 0;
}
