import { CERTIFICATE_RESPONSE_LENGTH } from '../certificate/response.ts';
import { Crowd } from '../guard/crowd.ts';
import { LOOK_EVERY_MS, Overload } from '../guard/overload.ts';
import { CHALLENGE_LENGTH } from '../handshake/wire/challenge.ts';
import { GRANT_LENGTH } from '../handshake/wire/grant.ts';
import { RESPONSE_LENGTH } from '../handshake/wire/response.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Load } from '../host/load.ts';
import type { Log } from '../host/log.ts';
import type { Endpoint } from '../units/network.ts';
import type { MonotonicMs } from '../units/time.ts';

export interface FloodGateOptions {
  readonly load: Load;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OverloadStatus {
  readonly state: 'calm' | 'overloaded';
  /** How often it has begun. */
  readonly times: number;
  /** Datagrams that were not judged because there was too much. */
  readonly turnedAway: number;
}

const responses: readonly number[] = [RESPONSE_LENGTH, CERTIFICATE_RESPONSE_LENGTH];

/** Looks whether all that comes can be judged, and chooses what is when it cannot (shield.md, section 5). */
export class FloodGate {
  readonly #options: FloodGateOptions;
  readonly #crowd = new Crowd();
  readonly #overload = new Overload();
  readonly #watchers = new Set<(to: Endpoint) => void>();
  #lookAt: number;
  #turnedAway = 0;
  #turnedAwayAtLook = 0;
  #times = 0;
  #timer: Timer | null = null;

  constructor(options: FloodGateOptions) {
    this.#options = options;
    this.#lookAt = options.clock.monotonicMs() + LOOK_EVERY_MS;
  }

  get isOverloaded(): boolean {
    return this.#overload.isOn;
  }

  status(): OverloadStatus {
    return {
      state: this.isOverloaded ? 'overloaded' : 'calm',
      times: this.#times,
      turnedAway: this.#turnedAway,
    };
  }

  /** For each datagram that comes, whatever it is. */
  arrived(now: MonotonicMs): void {
    if (now >= this.#lookAt) this.#look(now);
  }

  /** Whether there is time for a Request or Response that opened. */
  readonly admits = (bytes: Uint8Array, source: Endpoint, now: MonotonicMs): boolean => {
    if (!this.isOverloaded) return true;
    const isResponse = responses.includes(bytes.length);
    if (this.#crowd.admits({ bytes, source, isResponse }, this.#overload.share, now)) return true;
    this.#turnedAway++;
    return false;
  };

  /** For each answer that goes out: it tells whom to expect. */
  sent({ length }: Uint8Array, to: Endpoint): void {
    const now = this.#options.clock.monotonicMs();
    if (length === GRANT_LENGTH) this.granted(to);
    else if (this.isOverloaded && length === CHALLENGE_LENGTH) this.#crowd.challenged(to, now);
  }

  /** Somebody has proven himself from there. */
  granted(to: Endpoint): void {
    this.#crowd.granted(to, this.#options.clock.monotonicMs());
    for (const watcher of this.#watchers) watcher(to);
  }

  /** Tells of everybody who proves himself from now on, each time, until that is taken back. */
  watchGranted(watcher: (to: Endpoint) => void): { readonly end: () => void } {
    this.#watchers.add(watcher);
    return { end: () => this.#watchers.delete(watcher) };
  }

  /** A Response to a Challenge of ours is about to come from there. */
  expects(from: Endpoint): void {
    if (this.isOverloaded) this.#crowd.challenged(from, this.#options.clock.monotonicMs());
  }

  /** Looks no more. */
  stop(): void {
    this.#timer?.cancel();
  }

  #look(now: MonotonicMs): void {
    const { load, log } = this.#options;
    this.#lookAt = now + LOOK_EVERY_MS;
    const busy = load.busy();
    const turnedAway = this.#turnedAway - this.#turnedAwayAtLook;
    this.#turnedAwayAtLook = this.#turnedAway;
    const change = this.#overload.look({ busy, turnedAway, now });
    if (change === 'began') {
      this.#times++;
      log.warn('overloaded: those known go first', { busy: busy.toFixed(2) });
    } else if (change === 'ended') {
      log.info('no longer overloaded', { turnedAway: this.#turnedAway });
    }
    if (this.isOverloaded) this.#lookLater();
  }

  // that it is over must be seen when nothing comes any more, too
  #lookLater(): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.after(LOOK_EVERY_MS, () => {
      this.#look(clock.monotonicMs());
    });
  }
}
