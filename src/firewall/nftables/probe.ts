import type { ServicePort } from '../../units/network.ts';
import { faultOfEnd } from './console.ts';
import { parseFault } from './faults.ts';
import { unusable } from './kernel-table.ts';
import { runOnce } from './once.ts';
import { MAX_LANES, type Row, type TableOptions } from './layout.ts';
import { firstLayout, renderInstall } from './table.ts';

/**
 * Has the kernel check our table without making it (`nft --check`), and gives nft's name and version.
 * @throws {HknockError} `host` with what is missing
 */
export async function probeNftables(
  ports: readonly ServicePort[],
  options: TableOptions,
): Promise<string> {
  // with all that may be added later
  const layout = {
    ...firstLayout(options),
    lanes: (row: Row) => MAX_LANES[row],
  };
  const version = await runOnce('nft', ['--version']);
  if (version.cause !== null) throw faultOfEnd(version.cause);
  const check = await runOnce('nft', ['-c', '-f', '-'], renderInstall(ports, layout).join('\n'));
  const fault = parseFault(check.stderr);
  if (fault !== null) throw unusable(fault);
  if (check.cause !== null) throw faultOfEnd(`${check.cause.message} ${check.stderr}`);
  return version.stdout.trim().replace(/ \(.*/, '');
}
