import type { Worker } from 'node:worker_threads';
import type { BoundSocket } from '../dgram-ext/bound-socket.ts';
import type { PeerTable } from '../handshake/peer-table.ts';
import type { FloodGate } from './flood-gate.ts';
import type { Notice, Saying } from './worker-messages.ts';

interface KnockWorkerEvents {
  /** Told of each datagram that the thread has not dropped or answered. */
  readonly take: (datagram: Saying & { readonly kind: 'datagram' }) => void;
  readonly onEnd: (fault: Error | null) => void;
}

/** What a thread follows for as long as it lives. */
interface Followed {
  readonly socket: Pick<BoundSocket, 'share'>;
  readonly peers: Pick<PeerTable, 'watch'>;
  readonly flood: Pick<FloodGate, 'watchGranted'>;
}

/** One thread that reads knocks, as the main thread sees it. */
export class KnockWorker {
  readonly ready: Promise<void>;
  readonly #thread: Worker;
  readonly #marks = new Map<number, () => void>();
  readonly #ends: (() => void)[] = [];
  #nextMark = 0;
  #fault: Error | null = null;

  constructor(thread: Worker, { take, onEnd }: KnockWorkerEvents) {
    this.#thread = thread;
    this.ready = new Promise((resolve, reject) => {
      thread.on('message', (saying: Saying) => {
        if (saying.kind === 'ready') resolve();
        else if (saying.kind === 'mark') this.#reached(saying.id);
        else take(saying);
      });
      thread.on('error', (fault) => (this.#fault = fault));
      thread.once('exit', () => {
        reject(new Error('the thread ended', { cause: this.#fault }));
        for (const end of this.#ends) end();
        for (const id of this.#marks.keys()) this.#reached(id);
        onEnd(this.#fault);
      });
    });
  }

  /** Has it know sockets and peers, as they are and as they change, and who proves himself from now on. */
  follow({ socket, peers, flood }: Followed): void {
    const shared = socket.share({
      opened: (local, descriptor) => {
        this.#tell({ kind: 'opened', local, descriptor });
      },
      closed: (local) => {
        this.#tell({ kind: 'closed', local });
      },
    });
    const watched = peers.watch({
      added: (name, credential) => {
        this.#tell({ kind: 'added', name, credential });
      },
      removed: (tag) => {
        this.#tell({ kind: 'removed', tag });
      },
    });
    const known = flood.watchGranted((to) => {
      this.#tell({ kind: 'granted', to });
    });
    this.#ends.push(shared.end, watched.end, known.end);
  }

  /** Has it hand on what begins with these tags; resolves when it knows that and all that it was told before, or has ended. */
  leave(tags: readonly Uint8Array[]): Promise<void> {
    this.#tell({ kind: 'handOn', tags });
    const id = this.#nextMark++;
    this.#tell({ kind: 'mark', id });
    return new Promise((resolve) => this.#marks.set(id, resolve));
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }

  #reached(id: number): void {
    this.#marks.get(id)?.();
    this.#marks.delete(id);
  }

  #tell(notice: Notice): void {
    this.#thread.postMessage(notice);
  }
}
