import type { Place } from '../../support/machine.ts';
import { addresses } from '../../support/topology.ts';
import type { Door } from './soak-program.ts';

/** The TCP ports that the kernel itself holds open for the client, and until when. */
export async function kernelDoors(server: Place): Promise<readonly Door[]> {
  const { stdout } = await server.exec(['nft', 'list', 'table', 'inet', 'hknock']);
  const source = addresses.public.replaceAll('.', '\\.');
  const element = new RegExp(`tcp \\. (\\d+) \\. ${source}[^,}]*? expires (\\S+)`, 'g');
  const now = Date.now();
  return [...stdout.matchAll(element)].map(([, port, expires = '']) => ({
    port: Number(port),
    endsAt: now + milliseconds(expires),
  }));
}

/** Of `1m5s300ms`, as nft writes it. */
function milliseconds(text: string): number {
  const units: Readonly<Record<string, number>> = {
    d: 86_400_000,
    h: 3_600_000,
    m: 60_000,
    s: 1000,
    ms: 1,
  };
  return [...text.matchAll(/(\d+)(ms|[dhms])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}
