import { lobbyKeys } from '../certificate/lobby.ts';
import type { ServerFolder } from '../config/server-folder.ts';
import { pointOf } from '../crypto/p256.ts';
import { Shield } from '../firewall/nftables/shield.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Log } from '../host/log.ts';
import { isPort } from '../units/network.ts';
import type { Mode, StartMode } from './mode.ts';

/** How soon a table that somebody flushed is put back; strangers' datagrams reach the process until then. */
const LOOK_EVERY_MS = 5000;

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
  readonly #clock: Clock;
  readonly #log: Log;
  #dropped = 0;
  #timer: Timer | null = null;
  #busy: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(shield: Shield, { sharedTags, clock, log }: ShieldModeOptions) {
    this.#shield = shield;
    this.#sharedTags = sharedTags;
    this.#clock = clock;
    this.#log = log;
    this.#lookLater();
  }

  counters(): Readonly<Record<string, number>> {
    return { tags: this.#shield.size, dropped: this.#dropped };
  }

  reload({ peers }: ServerFolder): Promise<void> {
    const tags = [...peers.map(({ tag }) => tag), ...this.#sharedTags()];
    return this.#inTurn(() => this.#shield.replace(tags));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#inTurn(() => this.#shield.remove());
  }

  #lookLater(): void {
    this.#timer = this.#clock.after(LOOK_EVERY_MS, () => {
      void this.#inTurn(() => this.#look()).then(() => {
        if (!this.#stopped) this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const counts = await this.#shield.counts();
    if (counts !== null) {
      this.#dropped = counts.dropped;
    } else if (!this.#stopped && this.#shield.size > 0) {
      this.#log.warn('our shield was gone and is put back');
      await this.#shield.restore();
    }
  }

  // a shield that fails is none, and nobody is kept out by it
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#busy = this.#busy.then(work).catch((fault: unknown) => {
      this.#log.warn('no shield in the kernel', { fault: String(fault) });
    });
    return this.#busy;
  }
}
