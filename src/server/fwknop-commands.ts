import { familyOf } from '../bytes/address.ts';
import { run } from '../firewall/command/run.ts';
import { Slots } from '../firewall/command/slots.ts';
import { environmentOf, fillIn } from '../firewall/command/words.ts';
import type { SpaCommand } from '../fwknop/responder.ts';
import type { Clock } from '../host/clock.ts';

/** Commands that run at a time; the others wait. */
const MAX_RUNNING = 8;

/** Runs what packets have named, as the backend `command` runs its own: without a shell, and for no longer than those. */
export class SpaCommands {
  readonly #limits: { readonly clock: Clock; readonly timeLimitMs: number };
  readonly #slots = new Slots(MAX_RUNNING);

  constructor(limits: { readonly clock: Clock; readonly timeLimitMs: number }) {
    this.#limits = limits;
  }

  /**
   * Resolves when the command has ended with 0.
   * @throws {HknockError} `firewall` when it cannot be started, takes too long, or ends with anything else
   */
  async run(argv: readonly string[], { peer, name, source }: SpaCommand): Promise<void> {
    const family = `ipv${String(familyOf(source))}`;
    const facts = { address: source, family, peer, command: name };
    const env = environmentOf(facts);
    await this.#slots.run(() => run(fillIn(argv, facts), { ...this.#limits, env }));
  }
}
