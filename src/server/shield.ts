import { lobbyKeys } from '../certificate/lobby.ts';
import type { ServerFolder } from '../config/server-folder.ts';
import { pointOf } from '../crypto/p256.ts';
import { Shield } from '../firewall/nftables/shield.ts';
import type { Clock } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { isPort } from '../units/network.ts';
import type { Mode, StartMode } from './mode.ts';
import { Upkeep } from './upkeep.ts';

/** Keeps the kernel's filter of peer tags in step with the peers. Where the kernel cannot, all goes on without. */
export const startShield: StartMode = async ({ folder, certificates, clock, log }) => {
  const { firewall, listen } = folder.config;
  if (firewall.backend !== 'nftables' || !firewall.shield) return null;
  const ports = [...new Set(listen.map(({ port }) => port))].filter(isPort);
  if (ports.length === 0) return null;
  // those who come with certificates share one tag
  const sharedTags = (): readonly Uint8Array[] =>
    certificates === null ? [] : [lobbyKeys(pointOf(certificates.key)).tag];
  const mode = new ShieldMode(new Shield(ports), { sharedTags, clock, log });
  await mode.reload(folder);
  return mode;
};

const NO_SHIELD = 'no shield in the kernel';

interface ShieldModeOptions {
  /** Tags that are no peer's own. */
  readonly sharedTags: () => readonly Uint8Array[];
  readonly clock: Clock;
  readonly log: Log;
}

class ShieldMode implements Mode {
  readonly name = 'shield';
  readonly #shield: Shield;
  readonly #sharedTags: () => readonly Uint8Array[];
  readonly #log: Log;
  readonly #upkeep: Upkeep;
  #dropped = 0;

  constructor(shield: Shield, { sharedTags, clock, log }: ShieldModeOptions) {
    this.#shield = shield;
    this.#sharedTags = sharedTags;
    this.#log = log;
    const rules = {
      name: 'our shield',
      without: NO_SHIELD,
      look: () => this.#look(),
      putBack: () => shield.restore(),
    };
    this.#upkeep = new Upkeep(rules, { clock, log });
  }

  counters(): Readonly<Record<string, number>> {
    return { tags: this.#shield.size, dropped: this.#dropped };
  }

  async reload({ peers }: ServerFolder): Promise<void> {
    const tags = [...peers.map(({ tag }) => tag), ...this.#sharedTags()];
    // a shield that fails is none, and nobody is kept out by it
    await this.#upkeep
      .inTurn(() => this.#shield.replace(tags))
      .catch((fault: unknown) => {
        this.#log.warn(NO_SHIELD, { fault: String(fault) });
      });
  }

  async stop(): Promise<void> {
    await this.#upkeep.stop();
    await this.#shield.remove();
  }

  // while it is gone, strangers' datagrams reach the process
  async #look(): Promise<boolean> {
    const counts = await this.#shield.counts();
    if (counts !== null) this.#dropped = counts.dropped;
    return counts !== null || this.#shield.size === 0;
  }
}
