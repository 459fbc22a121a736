import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import './path.ts';

/** What the network itself is made with. */
const always = ['ip', 'nft', 'sysctl'];

/** Which of these, and of those that are always needed, cannot be run here. */
export function missingPrograms(programs: readonly string[]): readonly string[] {
  return [...new Set([...always, ...programs])].filter((program) => !isInstalled(program));
}

/** Whether a program of that name can be run here. */
export function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
