import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { connectGranted } from '../../src/client/connect.ts';
import { type GrantId, parseServiceName } from '../../src/units/names.ts';
import type { Port } from '../../src/units/network.ts';
import type { UnixMs } from '../../src/units/time.ts';
import { loopback } from './target.ts';
import { readTypeScript } from '../support/typescript.ts';

/** What a gate's process is asked: to admit or to end the grants of these numbers, or what it holds. */
export interface GateOrder {
  readonly order: 'admit' | 'end' | 'count';
  readonly from: number;
  /** The first that is not meant. */
  readonly to: number;
}

/** What a gate's process holds, after a collection. */
export interface GateHoldings {
  readonly rss: number;
  /** Bytes of the heap in use, and of what it refers to outside. */
  readonly heap: number;
  readonly sockets: number;
  readonly admitted: number;
  readonly visitors: number;
  readonly waiting: number;
}

export function grantId(number: number): GrantId {
  return number.toString(16).padStart(16, '0') as GrantId;
}

/** Both processes know it without telling each other. */
export function sessionSecret(number: number): Uint8Array {
  return createHash('sha256').update(String(number)).digest();
}

/** A gate in a process of its own, before a service on loopback. */
export class GateTarget {
  readonly #child: ChildProcess;
  readonly #port: Port;
  readonly #servicePort: Port;
  #granted = 0;
  #entered = 0;

  static async start(servicePort: Port): Promise<GateTarget> {
    const program = fileURLToPath(new URL('gate-program.ts', import.meta.url));
    const child = fork(program, [String(servicePort)], {
      execArgv: ['--expose-gc', ...readTypeScript],
    });
    const [port] = (await once(child, 'message')) as [Port];
    return new GateTarget(child, port, servicePort);
  }

  private constructor(child: ChildProcess, port: Port, servicePort: Port) {
    this.#child = child;
    this.#port = port;
    this.#servicePort = servicePort;
  }

  /** Grants so many connections. */
  async grant(count: number): Promise<void> {
    const from = this.#granted;
    this.#granted += count;
    await this.#ask({ order: 'admit', from, to: this.#granted });
  }

  /** Has all grants come to their end, as time would. */
  async endGrants(): Promise<void> {
    await this.#ask({ order: 'end', from: 0, to: this.#granted });
  }

  async holdings(): Promise<GateHoldings> {
    return (await this.#ask({ order: 'count', from: 0, to: 0 })) as GateHoldings;
  }

  /** A connection by the next of the grants. */
  enter(): Promise<Duplex> {
    const number = this.#entered++;
    return connectGranted({
      granted: true,
      mode: 'challenge-response',
      prefix: null,
      grant: grantId(number),
      service: parseServiceName('bench'),
      server: loopback,
      observed: { address: loopback, port: 1 },
      claimed: { address: loopback, port: 1 },
      behindNat: false,
      elapsedMs: 1,
      admission: 'gate',
      ports: [{ protocol: 'tcp', port: this.#servicePort }],
      admissionPort: this.#port,
      expiresAt: 0 as UnixMs,
      sessionSecret: sessionSecret(number),
      lease: null,
    });
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  async #ask(order: GateOrder): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    return ((await answer) as [unknown])[0];
  }
}
