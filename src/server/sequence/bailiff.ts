import { SECRET_LENGTH } from '../../bytes/key-lengths.ts';
import { KnockLimits } from '../../guard/knock-limits.ts';
import type { Bans } from '../../sequence/bans.ts';
import type { Packet } from '../../sequence/capture/packet.ts';
import type { Verdict } from '../../sequence/scheme.ts';
import type { StepStore } from '../../store/step-store.ts';
import type { Endpoint } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import type { ModeContext } from '../mode.ts';

/** What a verdict can come to. */
export const executions = [
  'granted',
  'refused',
  'closed',
  'banned',
  'locked out',
  'used',
  'limited',
] as const;

type Execution = (typeof executions)[number];

interface Records {
  readonly steps: StepStore;
  readonly bans: Bans;
}

/** Carries out verdicts, by the same policy, grants and firewall as all knocks. */
export class Bailiff {
  readonly #context: ModeContext;
  readonly #records: Records;
  readonly #limits: KnockLimits;

  constructor(context: ModeContext, records: Records) {
    this.#context = context;
    this.#records = records;
    // of this mode's own: whoever sends a recorded sequence again must not use up the peer's other knocks
    const { peerKnocks, sourceKnocks } = context.folder.config.limits;
    this.#limits = new KnockLimits(peerKnocks, sourceKnocks);
  }

  /** @throws {HknockError} when the firewall, or the disk, did not do its part */
  async execute(verdict: Verdict, packet: Packet): Promise<Execution> {
    const { peer, service, action } = verdict;
    const { clock, log } = this.#context;
    // before any limit of the peer's: whoever it is, it is not the peer
    if (action.kind === 'lock out') return this.#lockOut(action.lockMs, packet);
    if (!(await this.#isNew(verdict))) return 'used';
    if (!verdict.once && !this.#limits.take(peer, packet.source, clock.monotonicMs())) {
      log.debug('sequences come too often', { peer, service, source: packet.source });
      return 'limited';
    }
    switch (action.kind) {
      case 'open':
        return this.#open(verdict, packet);
      case 'toggle':
        return (await this.#close(verdict, packet)) > 0 ? 'closed' : this.#open(verdict, packet);
      case 'close':
        await this.#close(verdict, packet);
        return 'closed';
      case 'ban': {
        const { source } = packet;
        // first, so that nothing opens while the firewall is at work
        this.#records.bans.add(source, action.banMs, clock.monotonicMs());
        log.warn('banned', { peer, source, for_ms: action.banMs });
        await this.#close(verdict, packet);
        return 'banned';
      }
    }
  }

  #lockOut(lockMs: DurationMs, { source }: Packet): 'locked out' {
    const { clock, log } = this.#context;
    this.#records.bans.add(source, lockMs, clock.monotonicMs());
    log.info('a wrong sequence, locked out', { source, for_ms: lockMs });
    return 'locked out';
  }

  async #isNew({ once, peer, service }: Verdict): Promise<boolean> {
    if (once === undefined || (await this.#records.steps.use(once.credential, once.step))) {
      return true;
    }
    this.#context.log.warn('a step that has opened before, or an earlier one', { peer, service });
    return false;
  }

  async #open(verdict: Verdict, packet: Packet): Promise<'granted' | 'refused'> {
    const { peer, service, port, lifetimeMs, sessionSecret } = verdict;
    const { admit, entropy } = this.#context;
    const { kind } = await admit({
      peer,
      service,
      admission: null,
      observed: observedOf(verdict, packet),
      claimed: null,
      isUntold: true,
      // one that nobody knows
      sessionSecret: sessionSecret ?? entropy.bytes(SECRET_LENGTH),
      ...(port && { port }),
      ...(lifetimeMs !== undefined && { lifetimeMs }),
    });
    return kind;
  }

  #close(verdict: Verdict, packet: Packet): Promise<number> {
    const { peer, service, port, address: source = packet.source, action } = verdict;
    const about = { peer, service, source, ...(port && { port }) };
    return this.#context.grants.closeSource(about, { cut: action.kind === 'ban' });
  }
}

function observedOf({ address }: Verdict, { protocol, source, sourcePort }: Packet): Endpoint {
  return address === undefined || address === source
    ? { address: source, port: protocol === 'icmp' ? 0 : sourcePort }
    : { address, port: 0 };
}
