import type { ServerFolder } from '../config/server-folder.ts';
import type { Firewall } from '../host/firewall.ts';
import { policyOf, requireEnforceable } from './policy.ts';
import { requireUnlikely } from './silent/guessing.ts';

/**
 * Refuses a folder whose parts are right and cannot hold together.
 * @param firewall what is to keep to it
 * @throws {HknockError} `config`
 */
export function requireSound(folder: ServerFolder, firewall: Firewall): void {
  requireEnforceable(policyOf(folder.config, new Map()), firewall);
  requireUnlikely(folder, firewall);
}
