import { lobbyKeys } from '../certificate/lobby.ts';
import type { ServerFolder } from '../config/server-folder.ts';
import { pointOf } from '../crypto/p256.ts';
import { Shield, type ShieldCounts } from '../firewall/nftables/shield.ts';
import { CERTIFICATE_RESPONSE_LENGTH } from '../certificate/response.ts';
import { CHALLENGE_LENGTH } from '../handshake/wire/challenge.ts';
import { GRANT_LENGTH } from '../handshake/wire/grant.ts';
import { LEASE_LENGTH } from '../handshake/wire/lease.ts';
import { REQUEST_LENGTH } from '../handshake/wire/request.ts';
import { RESPONSE_LENGTH } from '../handshake/wire/response.ts';
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
  const mode = new ShieldMode(new Shield({ ports, lengths }), { sharedTags, clock, log });
  await mode.reload(folder);
  return mode;
};

const response = [RESPONSE_LENGTH, CERTIFICATE_RESPONSE_LENGTH];

const lengths = {
  received: [REQUEST_LENGTH, LEASE_LENGTH, ...response],
  response,
  challenge: CHALLENGE_LENGTH,
  grant: GRANT_LENGTH,
};

const NO_SHIELD = 'no shield in the kernel';

type KernelShield = Pick<Shield, 'size' | 'replace' | 'counts' | 'restore' | 'remove'>;

interface ShieldModeOptions {
  /** Tags that are no peer's own. */
  readonly sharedTags: () => readonly Uint8Array[];
  readonly clock: Clock;
  readonly log: Log;
}

/** The kernel's tables, and what is said of them. */
export class ShieldMode implements Mode {
  readonly name = 'shield';
  readonly #shield: KernelShield;
  readonly #sharedTags: () => readonly Uint8Array[];
  readonly #log: Log;
  readonly #upkeep: Upkeep;
  #counts: ShieldCounts | null = null;
  #isFull = false;

  constructor(shield: KernelShield, { sharedTags, clock, log }: ShieldModeOptions) {
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
    return { tags: this.#shield.size, ...this.#counts };
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

  // while it is gone, all datagrams reach the process
  async #look(): Promise<boolean> {
    const counts = await this.#shield.counts();
    if (counts === null) return this.#shield.size === 0;
    this.#tellIfFull(counts.unlearned > (this.#counts?.unlearned ?? 0));
    this.#counts = counts;
    return true;
  }

  #tellIfFull(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    if (isFull) this.#log.warn('a table of our shield is full, the rest is judged in the process');
    else this.#log.info('the tables of our shield have room again');
  }
}
