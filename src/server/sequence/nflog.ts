import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { HknockError } from '../../errors/hknock-error.ts';
import { systemCode } from '../../errors/system-code.ts';
import { toolEnvironment } from '../../firewall/nftables/environment.ts';
import type { Clock, Timer } from '../../host/clock.ts';
import type { Log } from '../../host/log.ts';
import { LINKTYPE_NFLOG, payloadOfNflog } from '../../sequence/capture/nflog.ts';
import { decodePacket } from '../../sequence/capture/packet.ts';
import { type PcapRecord, PcapStream } from '../../sequence/capture/pcap-stream.ts';
import { netfilterDrops, widenNetfilterBuffers } from '../../system/netfilter-sockets.ts';
import type { PacketListener, PacketSource } from './source.ts';

/** The first wait before a capture that has ended is started again; each further one is twice as long. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;

/** By then tcpdump has written the stream's header, or it never will. */
const BEGIN_LIMIT_MS = 5000;

/**
 * Bytes that the kernel may keep while tcpdump waits for the processor: it takes some 5 kB for each packet, and by itself has
 * room for 40, which a scan fills in a millisecond.
 */
const BUFFER_LENGTH = 16 * 1024 * 1024;

/** What of tcpdump's own words is kept for the log. */
const MAX_SAID = 500;

type Child = ChildProcessByStdio<null, Readable, Readable>;

export interface NflogOptions {
  readonly group: number;
  readonly listener: PacketListener;
  readonly clock: Clock;
  readonly log: Log;
}

/** Owns a tcpdump that listens to a log group, and starts it again whenever it ends. */
export class NflogSource implements PacketSource {
  readonly #options: NflogOptions;
  #child: Child | null = null;
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #restarts = 0;
  #ended: Promise<void> = Promise.resolve();
  #stopped = false;

  /**
   * Resolves when packets are heard.
   * @throws {HknockError} `host` when tcpdump is missing or cannot listen to the group
   */
  static async start(options: NflogOptions): Promise<NflogSource> {
    const source = new NflogSource(options);
    try {
      await new Promise<void>((resolve, reject) => {
        source.#spawn({ resolve, reject });
      });
    } catch (fault) {
      await source.stop();
      throw fault;
    }
    return source;
  }

  private constructor(options: NflogOptions) {
    this.#options = options;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get lost(): number {
    return netfilterDrops(this.#child?.pid);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** @param first is told whether the capture has begun; null when it has been running before */
  #spawn(first: Settle | null): void {
    const child = start(this.#options.group);
    const stream = new PcapStream();
    let said = '';
    const limit = this.#options.clock.after(BEGIN_LIMIT_MS, () => {
      if (!stream.hasBegun) child.kill('SIGKILL');
    });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#stopped) return;
      const fault = stream.push(chunk, this.#take);
      if (fault !== null) {
        said = fault;
        child.kill('SIGKILL');
      } else if (stream.hasBegun) {
        this.#retryMs = FIRST_RETRY_MS;
        first?.resolve();
      }
    });
    // it begins to write when it listens
    child.stdout.once('data', () => void this.#widen(child));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-MAX_SAID);
    });
    this.#ended = new Promise((resolve) => {
      const end = (cause: unknown): void => {
        limit.cancel();
        first?.reject(faultOfEnd(cause, said));
        if (stream.hasBegun || first === null) this.#startAgain(said);
        resolve();
      };
      child.once('error', end).once('close', end);
    });
  }

  async #widen({ pid }: Child): Promise<void> {
    try {
      await widenNetfilterBuffers(pid, BUFFER_LENGTH);
    } catch (fault) {
      if (this.#stopped) return;
      const { log } = this.#options;
      log.warn('capture has little room, and may lose knocks while somebody scans', {
        fault: String(fault),
      });
    }
  }

  readonly #take = ({ bytes, linkType, littleEndian }: PcapRecord): void => {
    const { listener } = this.#options;
    const payload =
      linkType === LINKTYPE_NFLOG ? payloadOfNflog(bytes, { littleEndian }) : 'malformed';
    listener(typeof payload === 'string' ? payload : decodePacket(payload));
  };

  #startAgain(said: string): void {
    if (this.#stopped || this.#retry !== null) return;
    const { clock, log } = this.#options;
    log.error('capture ended, knocks by sequences are not heard until it runs again', {
      said: said.trim().split('\n').at(-1),
      again_in_ms: this.#retryMs,
    });
    this.#retry = clock.after(this.#retryMs, () => {
      this.#retry = null;
      this.#restarts++;
      this.#spawn(null);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (fault: HknockError) => void;
}

// each packet as soon as it comes, in a process group of its own: a Ctrl-C in our terminal is for us
function start(group: number): Child {
  const args = ['-i', `nflog:${String(group)}`, '--immediate-mode', '-U', '-n', '-w', '-'];
  return spawn('tcpdump', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: toolEnvironment(),
    detached: true,
  });
}

function faultOfEnd(cause: unknown, said: string): HknockError {
  if (systemCode(cause) === 'ENOENT') {
    return new HknockError('host', 'there is no tcpdump program', {
      hint: 'apt-get install tcpdump',
      cause,
    });
  }
  const why = said.trim().split('\n').at(-1) ?? '';
  return new HknockError('host', `tcpdump cannot listen to the log group: ${why}`, {
    hint: 'run as root, and give [sequence] a group that no other program has',
    cause,
  });
}
