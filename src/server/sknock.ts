import { join } from 'node:path';
import type { ServerFolder } from '../config/server-folder.ts';
import type { SknockConfig } from '../config/server-config.ts';
import { serviceFinder } from '../config/service-ports.ts';
import { bindDatagramSocket } from '../dgram-ext/bind.ts';
import { KnockLimits } from '../guard/knock-limits.ts';
import type { DatagramSocket } from '../host/datagram-socket.ts';
import { sknockDropReasons } from '../sknock/drop-reason.ts';
import type { SknockExamination } from '../sknock/examine.ts';
import {
  type SknockArrival,
  type SknockDrop,
  type SknockKnock,
  SknockResponder,
} from '../sknock/responder.ts';
import type { Endpoint } from '../units/network.ts';
import type { Certificates } from './certificates.ts';
import { DropLog } from './drop-log.ts';
import { examinersFor } from './examiners.ts';
import type { Mode, ModeContext } from './mode.ts';
import { RedirectedRange } from './redirected-range.ts';
import { SknockReplays } from './sknock-replays.ts';
import { SknockThreads } from './sknock-threads.ts';
import { zeroCounts } from './zero-counts.ts';

/** The ports of which the reference client chooses one at random for each knock. */
const REFERENCE_PORTS = [10_000, 60_000] as const;

/** Of the server's folder: what may not be opened again after a restart. */
const REPLAY_FILE = 'sknock.replays';

/** Starts sKnock (sknock.md) if the configuration has it. @throws {HknockError} */
export async function startSknock(context: ModeContext): Promise<Mode | null> {
  const { folder, clock, log, certificates } = context;
  const { sknock, limits, directory } = folder.config;
  if (sknock === null || certificates === null) return null;
  const socket = await bindDatagramSocket({
    addresses: sknock.listen,
    clock,
    onFault: (fault) => {
      log.warn('sknock address not served', { fault: fault.message });
    },
  });
  const undo: (() => Promise<void>)[] = [() => socket.close()];
  try {
    const replays = await SknockReplays.open(join(directory, REPLAY_FILE), limits.replayRecords);
    undo.push(() => replays.close());
    const range = new RedirectedRange({ clock, log });
    undo.push(() => range.stop());
    const threads = await SknockThreads.start(examinersFor(certificates, folder), { clock, log });
    undo.push(() => threads.stop());
    const parts = { socket, replays, range, threads, config: sknock, certificates };
    const mode = new SknockMode(context, parts);
    await mode.reload(folder);
    return mode;
  } catch (fault) {
    for (const step of undo.reverse()) await step();
    throw fault;
  }
}

interface Parts {
  readonly socket: DatagramSocket;
  readonly replays: SknockReplays;
  readonly range: RedirectedRange;
  readonly threads: SknockThreads;
  readonly config: SknockConfig;
  readonly certificates: Certificates;
}

/** Knocks by one packet: nothing is ever answered, so all there is to see of a failure is in counters and log. */
class SknockMode implements Mode {
  readonly name = 'sknock';
  readonly #context: ModeContext;
  readonly #parts: Parts;
  readonly #limits: KnockLimits;
  readonly #dropLog: DropLog;
  readonly #drops = zeroCounts(sknockDropReasons);
  #granted = 0;
  #refused = 0;
  #failed = 0;
  #responder: SknockResponder | null = null;

  constructor(context: ModeContext, parts: Parts) {
    const { peerKnocks, sourceKnocks } = context.folder.config.limits;
    this.#context = context;
    this.#parts = parts;
    this.#limits = new KnockLimits(peerKnocks, sourceKnocks);
    this.#dropLog = new DropLog('sknock dropped', context);
    parts.socket.listen(
      (bytes, remote) => {
        this.#receive(bytes, remote);
      },
      (remote) => {
        this.#drop({ reason: 'length', holder: null }, remote);
      },
    );
  }

  counters(): Readonly<Record<string, number>> {
    const { received } = this.#parts.socket.counters();
    const { threads, waiting, crashed } = this.#parts.threads.counters();
    const ends = { granted: this.#granted, refused: this.#refused, failed: this.#failed };
    return { received, ...ends, ...this.#drops, threads, waiting, crashed };
  }

  async reload(folder: ServerFolder): Promise<void> {
    const { sknock, services } = folder.config;
    // to be off is for the next start
    const config = sknock ?? this.#parts.config;
    const { certificates, replays, threads } = this.#parts;
    await threads.replace(examinersFor(certificates, folder));
    this.#responder = new SknockResponder({
      certificates: { verify: (der, now) => certificates.verifier.verify(der, now) },
      serviceOf: serviceFinder(services.values()),
      ...config,
      limits: this.#limits,
      replays: replays.cache,
    });
    await this.#takeRange(config);
    if (config.checkAddress) return;
    this.#context.log.warn('sknock takes requests for any address', {
      risk: 'whoever holds one back and sends it on is let in where it comes from',
    });
  }

  async stop(): Promise<void> {
    await this.#parts.range.stop();
    await this.#parts.socket.close();
    await this.#parts.threads.stop();
    await this.#parts.replays.close();
  }

  #takeRange({ range, minFrameLength }: SknockConfig): Promise<void> {
    const [local] = this.#parts.socket.local;
    const wanted = range && local !== undefined;
    return this.#parts.range.replace(
      wanted ? { ports: REFERENCE_PORTS, to: local.port, minFrameLength } : null,
    );
  }

  #receive(bytes: Uint8Array, source: Endpoint): void {
    const judged = this.#responder?.receive(bytes, this.#arrival(source));
    if (judged?.kind === 'drop') this.#drop(judged, source);
    if (judged?.kind === 'examine') void this.#examine(judged.examination, source);
  }

  async #examine(examination: SknockExamination, source: Endpoint): Promise<void> {
    const verdict = await this.#parts.threads.examine(examination);
    // it may be another one by now
    const judged = verdict && this.#responder?.judge(verdict, this.#arrival(source));
    if (judged?.kind === 'knock') await this.#conclude(judged);
    else this.#drop(judged ?? { reason: 'overload', holder: null }, source);
  }

  #arrival(source: Endpoint): SknockArrival {
    const { clock } = this.#context;
    return { source, unixMs: clock.unixMs(), monotonicMs: clock.monotonicMs() };
  }

  #drop({ reason, holder }: Pick<SknockDrop, 'reason' | 'holder'>, source: Endpoint): void {
    this.#drops[reason]++;
    const { serial, subject } = holder ?? {};
    this.#dropLog.say(reason, { source: source.address, serial, subject });
  }

  async #conclude({ knock, seen }: SknockKnock): Promise<void> {
    try {
      // first: whoever ends us in between must not be able to have it opened twice
      await this.#parts.replays.keep(seen);
      const { kind } = await this.#context.admit(knock);
      if (kind === 'granted') this.#granted++;
      else this.#refused++;
    } catch (fault) {
      this.#failed++;
      this.#context.log.error('knock failed', { peer: knock.peer, fault: String(fault) });
    }
  }
}
