import { isDeepStrictEqual } from 'node:util';
import type { SequenceConfig } from '../../config/server-config.ts';
import type { ServerFolder } from '../../config/server-folder.ts';
import { serviceFinder } from '../../config/service-ports.ts';
import { ignoredReasons, type Ignored } from '../../sequence/capture/ignored.ts';
import type { Packet } from '../../sequence/capture/packet.ts';
import { Bans } from '../../sequence/bans.ts';
import { isWatched, type Scheme, type Verdict, type WatchedPorts } from '../../sequence/scheme.ts';
import { stepAt } from '../../sequence/schemes/totp-ports.ts';
import { TotpScheme } from '../../sequence/schemes/totp.ts';
import { type Heard, Tracker } from '../../sequence/tracker.ts';
import { StepStore } from '../../store/step-store.ts';
import type { MonotonicMs } from '../../units/time.ts';
import type { Mode, ModeContext } from '../mode.ts';
import { Bailiff, executions } from './bailiff.ts';
import { KERNEL_LOG, KernelLogSource } from './kernel-log.ts';
import { LogFileSource } from './log-file.ts';
import { startAfterLeftover } from './leftover.ts';
import { NflogSource } from './nflog.ts';
import { NumberPorts } from './number-ports.ts';
import type { PacketSource } from './source.ts';
import { WatchTable } from './watch-table.ts';

/** Sources and packets that are remembered: some 60 MB at most. */
const TRACKER_CAPACITY = 131_072;

/** Sources that are banned at a time. */
const MAX_BANS = 4096;

const outcomes = [
  'heard',
  'repeated',
  'exhausted',
  'ignored',
  'unwatched',
  'from banned',
  ...executions,
  'failed',
] as const;

/**
 * Starts sequence mode (sequence.md) where the configuration names a scheme.
 * @throws {HknockError} `host` when packets cannot be captured, `config` when the file of steps is wrong
 */
export async function startSequenceMode(context: ModeContext): Promise<Mode | null> {
  const config = context.folder.config.sequence;
  if (!config.hasTotp && config.files.length === 0) return null;
  const steps = await StepStore.open(context.folder.config.directory);
  const mode = new SequenceMode(context, steps);
  await mode.start();
  return mode;
}

class SequenceMode implements Mode {
  readonly name = 'sequence';
  readonly #context: ModeContext;
  readonly #config: SequenceConfig;
  readonly #steps: StepStore;
  readonly #tracker: Tracker;
  readonly #bans = new Bans(MAX_BANS);
  readonly #bailiff: Bailiff;
  readonly #counts = new Map<string, number>(
    [...outcomes, ...ignoredReasons].map((each) => [each, 0]),
  );
  readonly #open = new Set<Promise<void>>();
  #schemes: readonly Scheme[];
  readonly #watched: readonly WatchedPorts[];
  #source: PacketSource | null = null;
  #table: WatchTable | null = null;
  #numbers: NumberPorts | null = null;

  constructor(context: ModeContext, steps: StepStore) {
    this.#context = context;
    this.#config = context.folder.config.sequence;
    this.#steps = steps;
    this.#bailiff = new Bailiff(context, { steps, bans: this.#bans });
    this.#schemes = this.#schemesOf(context.folder);
    this.#watched = this.#schemes.flatMap(({ watched }) => watched);
    const { budget, ignoreMs } = this.#config;
    const windowMs = Math.max(...this.#schemes.map((scheme) => this.#windowOf(scheme)));
    this.#tracker = new Tracker({ budget, windowMs, ignoreMs, capacity: TRACKER_CAPACITY });
  }

  async start(): Promise<void> {
    const { log } = this.#context;
    for (const { name, fallsTo } of this.#schemes) {
      log.warn('knocks by sequences are on', { scheme: name, falls_to: fallsTo });
    }
    this.#warnOfStrangers(this.#context.folder);
    this.#warnOfClock();
    this.#warnOfConcerns();
    this.#source = await this.#listen();
    await this.#tellNumbers();
  }

  counters(): Readonly<Record<string, number>> {
    const { restarts = 0, lost = 0 } = this.#source ?? {};
    const counts = { ...Object.fromEntries(this.#counts), ...this.#table?.counts };
    return { ...counts, lost, remembered: this.#tracker.size, restarts };
  }

  reload(folder: ServerFolder): Promise<void> {
    this.#schemes = this.#schemesOf(folder);
    const isNew = (ports: WatchedPorts): boolean =>
      !this.#watched.some((each) => isDeepStrictEqual(each, ports));
    if (this.#schemes.some(({ watched }) => watched.some(isNew))) {
      this.#context.log.warn('ports that are new to sequences are watched from the next start');
    }
    this.#warnOfStrangers(folder);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#numbers?.close();
    await this.#source?.stop();
    await Promise.all(this.#open);
    await this.#table?.remove();
  }

  // which ports are watched, and how, counts from the start; who may knock from the last reload
  #schemesOf(folder: ServerFolder): readonly Scheme[] {
    const serviceOf = serviceFinder(folder.config.services.values());
    const latestOf = (credential: string): number | null => this.#steps.latestOf(credential);
    const schemes = [
      ...(this.#config.hasTotp ? [this.#totpOf(folder)] : []),
      ...folder.schemes.map((scheme) => scheme.listen({ serviceOf, latestOf })),
    ];
    this.#steps.keepOnly(new Set(schemes.flatMap(({ credentials = [] }) => credentials)));
    return schemes;
  }

  #totpOf({ peers, responderId }: ServerFolder): Scheme {
    const credentials = peers.flatMap(({ name: peer, totp: secret, services }) =>
      secret === null ? [] : [{ peer, secret, services }],
    );
    return new TotpScheme({ credentials, responderId, shape: this.#config.totp });
  }

  #windowOf({ windowMs }: Scheme): number {
    return windowMs ?? this.#config.windowMs;
  }

  async #listen(): Promise<PacketSource> {
    const { clock, log } = this.#context;
    const { source, group, log: file } = this.#config;
    const listener = (packet: Packet | Ignored): void => {
      this.#receive(packet);
    };
    if (source === 'log') {
      const Source = file.file === KERNEL_LOG ? KernelLogSource : LogFileSource;
      return Source.start({ path: file.file, prefix: file.prefix, listener, clock, log });
    }
    // first the ear, then the rules: a capture that does not start leaves no port shut
    const start = (): Promise<NflogSource> => NflogSource.start({ group, listener, clock, log });
    const capture = await startAfterLeftover(start, { watched: this.#watched, clock });
    try {
      const watch = { ...this.#config, ports: this.#watched };
      this.#table = await WatchTable.install(watch, { clock, log });
      return capture;
    } catch (fault) {
      await capture.stop();
      throw fault;
    }
  }

  async #tellNumbers(): Promise<void> {
    try {
      this.#numbers = await NumberPorts.open(() => this.#schemes);
    } catch (fault) {
      await this.stop();
      throw fault;
    }
  }

  #receive(packet: Packet | Ignored): void {
    if (typeof packet === 'string') {
      this.#count(packet);
      return;
    }
    if (!isWatched(packet, this.#watched)) {
      this.#count('unwatched');
      return;
    }
    const now = this.#context.clock.monotonicMs();
    if (this.#bans.has(packet.source, now)) {
      this.#count('from banned');
      return;
    }
    const seen = this.#tracker.observe(packet, now);
    this.#count(seen.kind);
    if (seen.kind === 'exhausted') {
      this.#context.log.debug('too many packets, ignored for a while', { source: packet.source });
    }
    if (seen.kind !== 'heard') return;
    const verdict = this.#judge(seen.trail, now);
    if (verdict === null) return;
    this.#tracker.consume(packet.source, verdict.used);
    this.#begin(verdict, packet);
  }

  /** The first scheme to which it means something has it. */
  #judge(trail: readonly Heard[], now: MonotonicMs): Verdict | null {
    const unixMs = this.#context.clock.unixMs();
    for (const scheme of this.#schemes) {
      const windowMs = this.#windowOf(scheme);
      const recent = trail.filter(({ at }) => now - at <= windowMs);
      const verdict = scheme.judge(recent, unixMs);
      if (verdict !== null) return verdict;
    }
    return null;
  }

  #begin(verdict: Verdict, packet: Packet): void {
    const concluded: Promise<void> = this.#conclude(verdict, packet)
      .catch((fault: unknown) => {
        this.#count('failed');
        const { peer, service } = verdict;
        this.#context.log.error('knock failed', { peer, service, fault: String(fault) });
      })
      .finally(() => this.#open.delete(concluded));
    this.#open.add(concluded);
  }

  async #conclude(verdict: Verdict, packet: Packet): Promise<void> {
    const execution = await this.#bailiff.execute(verdict, packet);
    this.#count(execution);
    if (execution === 'used') this.#warnOfClock();
    if (verdict.once) this.#warnOfConcerns();
  }

  #warnOfConcerns(): void {
    for (const { name: scheme, concern } of this.#schemes) {
      const text = concern?.() ?? null;
      if (text !== null) this.#context.log.warn(text, { scheme });
    }
  }

  #warnOfStrangers({ schemes, peers }: ServerFolder): void {
    for (const { name, peer } of schemes) {
      if (peers.some((each) => each.name === peer)) continue;
      this.#context.log.warn('a scheme opens nothing: its peer is not there', {
        scheme: name,
        peer,
      });
    }
  }

  #warnOfClock(): void {
    const { latest } = this.#steps;
    const now = stepAt(this.#context.clock.unixMs());
    if (latest === null || latest <= now + 1) return;
    this.#context.log.error(
      'the clock was set back: whoever has knocked since cannot, until it is past that time',
      {
        steps: latest - now,
      },
    );
  }

  #count(what: (typeof outcomes)[number] | Ignored): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}
