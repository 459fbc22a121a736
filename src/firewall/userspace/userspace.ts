import { HknockError } from '../../errors/hknock-error.ts';
import type { Clock } from '../../host/clock.ts';
import type {
  Failures,
  Firewall,
  Opening,
  ProtectedPort,
  Transaction,
} from '../../host/firewall.ts';
import type { Admission } from '../../units/admission.ts';
import type { GrantId } from '../../units/names.ts';
import { formatServicePort, type IpAddress } from '../../units/network.ts';
import { refuseAdmission, refuseAll } from '../refusals.ts';
import type { Door, DoorOptions } from './door.ts';
import { LiveGrants } from './live-grants.ts';
import { TcpDoor } from './tcp-door.ts';
import { UdpDoor } from './udp-door.ts';

export interface UserspaceOptions {
  readonly clock: Clock;
  /** Addresses on which the protected ports are served; at least one. */
  readonly listen: readonly IpAddress[];
}

/**
 * A firewall that needs no privilege: this process stands in front of the services. A port is bound only while
 * somebody has a grant for it, so at other times the kernel answers for it as for any closed port. While it is bound,
 * a TCP connection without a grant is reset before a byte is exchanged. Services see connections from this machine.
 */
export function createUserspace(options: UserspaceOptions): Firewall {
  return new Userspace(options);
}

class Userspace implements Firewall {
  readonly admissions: readonly Admission[] = ['address', 'once'];
  readonly #options: UserspaceOptions;
  readonly #doors = new Map<string, Door>();
  readonly #grants: LiveGrants;
  #last: Promise<unknown> = Promise.resolve();
  #running = false;

  constructor(options: UserspaceOptions) {
    this.#options = options;
    this.#grants = new LiveGrants(options.clock, (port) => {
      queueMicrotask(() => {
        this.#shutIfUnused(port);
      });
    });
  }

  start(ports: readonly ProtectedPort[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#protect(ports);
      this.#running = true;
    });
  }

  protect(ports: readonly ProtectedPort[]): Promise<void> {
    return this.#inTurn(() => this.#protect(ports));
  }

  apply(transaction: Transaction): Promise<Failures> {
    return this.#inTurn(async () => {
      if (!this.#running) return refuseAll(transaction, 'the firewall is not running');
      const failures = new Map<GrantId, HknockError>();
      // the new ones first: a port that both want need not be given back in between
      const renewed = new Set(transaction.opens.map(({ grant }) => grant));
      for (const opening of transaction.opens) {
        await this.#open(opening).catch((error: unknown) => {
          this.#grants.end(opening.grant);
          failures.set(opening.grant, asFailure(error));
        });
      }
      for (const grant of transaction.closes) if (!renewed.has(grant)) this.#grants.end(grant);
      for (const cut of transaction.cuts) for (const door of this.#doors.values()) door.cut(cut);
      return failures;
    });
  }

  /** The ports are closed either way: nobody stands behind them. */
  stop(): Promise<void> {
    return this.#inTurn(() => {
      this.#running = false;
      this.#grants.clear();
      for (const door of this.#doors.values()) door.end();
      this.#doors.clear();
      return Promise.resolve();
    });
  }

  async #protect(ports: readonly ProtectedPort[]): Promise<void> {
    const wanted = new Map(ports.map((each) => [formatServicePort(each.port), each]));
    const fresh = [...wanted].filter(([id]) => !this.#doors.has(id));
    const doors = fresh.map(([id, each]) => [id, this.#doorFor(each)] as const);
    for (const [, door] of doors) await tryOut(door);
    for (const [id, door] of doors) this.#doors.set(id, door);
    for (const [id, door] of [...this.#doors]) {
      const protectedPort = wanted.get(id);
      if (protectedPort === undefined) this.#remove(id, door);
      else door.leadTo(upstreamOf(protectedPort));
    }
  }

  #doorFor(protectedPort: ProtectedPort): Door {
    const { port } = protectedPort;
    const options: DoorOptions = {
      ...this.#options,
      port,
      upstream: upstreamOf(protectedPort),
      admit: (source) => this.#grants.admit(source, port),
    };
    return port.protocol === 'tcp' ? new TcpDoor(options) : new UdpDoor(options);
  }

  #remove(id: string, door: Door): void {
    door.end();
    this.#doors.delete(id);
  }

  async #open(opening: Opening): Promise<void> {
    if (!this.admissions.includes(opening.admission)) throw refuseAdmission(opening);
    // first, so that a port is not given back while it is being taken
    this.#grants.add(opening);
    for (const port of opening.ports) {
      const door = this.#doors.get(formatServicePort(port));
      if (door === undefined) throw new HknockError('firewall', 'the port is not protected');
      await door.open();
      this.#shutIfUnused(formatServicePort(port));
    }
  }

  // not at once: the last one to come in is still on the threshold
  #shutIfUnused(port: string): void {
    if (!this.#grants.isOpen(port)) this.#doors.get(port)?.shut();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

// a port that is taken must be told at the start, not when somebody knocks
async function tryOut(door: Door): Promise<void> {
  await door.open();
  door.shut();
}

function upstreamOf({ service, upstream }: ProtectedPort): NonNullable<ProtectedPort['upstream']> {
  if (upstream !== null) return upstream;
  throw new HknockError('config', `nobody said where the service '${service}' really listens`, {
    hint: 'the userspace firewall needs an upstream for each service',
  });
}

function asFailure(cause: unknown): HknockError {
  return new HknockError('firewall', cause instanceof Error ? cause.message : String(cause), {
    cause,
  });
}
