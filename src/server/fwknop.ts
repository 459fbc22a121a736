import { bindDatagramSocket } from '../dgram-ext/bind.ts';
import type { ServerFolder } from '../config/server-folder.ts';
import { spaDropReasons } from '../fwknop/drop-reason.ts';
import { type SeenPacket, SpaReplayRecord } from '../fwknop/replay-record.ts';
import {
  type SpaCommand,
  type SpaJudgement,
  SpaResponder,
  type SpaTerms,
} from '../fwknop/responder.ts';
import { KnockLimits } from '../guard/knock-limits.ts';
import type { DatagramSocket } from '../host/datagram-socket.ts';
import { SpaReplayFile } from '../store/spa-replay-file.ts';
import type { Knock } from '../units/knock.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { SpaCommands } from './fwknop-commands.ts';
import { spaTerms } from './fwknop-terms.ts';
import type { Mode, ModeContext } from './mode.ts';
import { zeroCounts } from './zero-counts.ts';

/**
 * Packets remembered: a good one is remembered for at most twice the age that it may have, so with the usual 120 s this is 17 a
 * second all the time. With one line each the file stays below what is read again.
 */
const REPLAY_CAPACITY = 4096;

/** Lines that the file may have before it is begun anew. */
const MAX_FILE_LINES = 3 * REPLAY_CAPACITY;

/** Starts the reception of fwknop's packets, if the folder asks for it. */
export async function startFwknop(context: ModeContext): Promise<Mode | null> {
  const { folder, clock, log } = context;
  const { config } = folder;
  if (!config.fwknop.enabled) return null;
  const { backend, command } = config.firewall;
  const means = {
    firewall: context.firewall,
    ports: config.admission.ports,
    runsCommands: backend === 'command',
  };
  const commands = new SpaCommands({ clock, timeLimitMs: command.timeLimitMs });
  const terms = (of: ServerFolder): SpaTerms => spaTerms(of, means);
  const first = terms(folder);
  const { file, state } = await SpaReplayFile.open(config.directory);
  const { packets, forgottenUpTo } = state;
  const replays = new SpaReplayRecord(REPLAY_CAPACITY, forgottenUpTo);
  for (const packet of packets) replays.add(packet);
  await file.write(replays);
  const socket = await bindDatagramSocket({
    addresses: config.fwknop.listen,
    clock,
    onFault: (fault) => {
      log.warn('address not served', { mode: 'fwknop', fault: fault.message });
    },
  }).catch(async (fault: unknown) => {
    await file.close();
    throw fault;
  });
  return new FwknopMode(context, first, { socket, file, replays, terms, commands });
}

interface Parts {
  readonly socket: DatagramSocket;
  readonly file: SpaReplayFile;
  readonly replays: SpaReplayRecord;
  /** What holds by a folder. */
  readonly terms: (folder: ServerFolder) => SpaTerms;
  readonly commands: SpaCommands;
}

/** The UDP port for the clients of fwknop. */
class FwknopMode implements Mode {
  readonly name = 'fwknop';
  readonly #context: ModeContext;
  readonly #parts: Parts;
  readonly #responder: SpaResponder;
  readonly #drops = zeroCounts(spaDropReasons);
  #granted = 0;
  #refused = 0;
  #ran = 0;
  #lines = 0;
  #terms: SpaTerms;
  #folder: ServerFolder;
  /** Knocks that are being decided on. */
  readonly #open = new Set<Promise<void>>();

  constructor(context: ModeContext, terms: SpaTerms, parts: Parts) {
    const { limits } = context.folder.config;
    this.#context = context;
    this.#parts = parts;
    this.#terms = terms;
    this.#folder = context.folder;
    this.#responder = new SpaResponder({
      limits: new KnockLimits(limits.peerKnocks, limits.sourceKnocks),
      replays: parts.replays,
    });
    this.#tell(context.folder);
    parts.socket.listen((bytes, remote) => {
      this.#receive(bytes, remote);
    });
  }

  counters(): Readonly<Record<string, number>> {
    const dropped = spaDropReasons.map(
      (reason) => [`dropped ${reason}`, this.#drops[reason]] as const,
    );
    const { received, truncated } = this.#parts.socket.counters();
    return {
      received,
      truncated,
      granted: this.#granted,
      refused: this.#refused,
      ran: this.#ran,
      ...Object.fromEntries(dropped),
    };
  }

  reload(folder: ServerFolder): Promise<void> {
    this.#terms = this.#parts.terms(folder);
    this.#folder = folder;
    this.#tell(folder);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#parts.socket.close();
    await Promise.all(this.#open);
    await this.#parts.file.close();
  }

  #receive(bytes: Uint8Array, source: Endpoint): void {
    const { clock } = this.#context;
    const arrival = { source, now: clock.monotonicMs(), unixMs: clock.unixMs() };
    const judged = this.#responder.receive(bytes, this.#terms, arrival);
    if (judged.kind === 'drop') {
      this.#drops[judged.reason]++;
      return;
    }
    const conclusion = this.#conclude(judged);
    this.#open.add(conclusion);
    void conclusion.then(() => this.#open.delete(conclusion));
  }

  // a fault of ours opens nothing, and the server stays
  async #conclude(judged: Exclude<SpaJudgement, { kind: 'drop' }>): Promise<void> {
    try {
      await this.#keep(judged.seen);
      if (judged.kind === 'command') await this.#run(judged.command);
      else for (const knock of judged.knocks) await this.#admit(knock);
    } catch (fault) {
      this.#refused++;
      const { peer } = judged.kind === 'command' ? judged.command : (judged.knocks[0] ?? {});
      this.#context.log.error('knock failed', { mode: this.name, peer, fault: String(fault) });
    }
  }

  async #admit(knock: Knock): Promise<void> {
    const { kind } = await this.#context.admit(knock);
    if (kind === 'granted') this.#granted++;
    else this.#refused++;
  }

  async #run(command: SpaCommand): Promise<void> {
    // taken away by a reload since
    const argv = this.#folder.config.fwknop.commands.get(command.name) ?? [];
    await this.#parts.commands.run(argv, command);
    this.#ran++;
    const { peer, name, source } = command;
    this.#context.log.info('ran', { mode: this.name, peer, command: name, source });
  }

  /** On the disk before anything is opened, or a crash would make the packet good a second time. */
  async #keep(seen: SeenPacket): Promise<void> {
    const { file, replays } = this.#parts;
    if (++this.#lines < MAX_FILE_LINES - REPLAY_CAPACITY) return file.append(seen);
    this.#lines = 0;
    return file.write(replays);
  }

  #tell({ config, peers }: ServerFolder): void {
    const { log } = this.#context;
    log.info('fwknop', {
      listen: this.#parts.socket.local.map(formatEndpoint).join(','),
      peers: this.#terms.peers.length,
      lacks:
        "against hknock's own knock: a client needs a clock that is right and has to know its address as the server sees it, and nobody tells it what became of its packet",
    });
    if (config.fwknop.acceptAnySource) {
      log.warn('fwknop accepts packets for any source', {
        danger:
          'whoever sees such a packet and can hold it back (A1 and A2 together, T-F1) sends it on from his own address and is let in himself',
        mend: 'accept_any_source = false, and clients that say their address (fwknop -a)',
      });
    }
    const admitted = new Set(this.#terms.peers.map(({ name }) => name));
    for (const { name, admission, fwknop } of peers) {
      if (fwknop === undefined || admitted.has(name)) continue;
      log.warn('fwknop has no such admission', { peer: name, admission });
    }
  }
}
