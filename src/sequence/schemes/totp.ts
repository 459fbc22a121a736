import type { PeerName, ServiceName } from '../../units/names.ts';
import type { Port } from '../../units/network.ts';
import type { SequenceShape } from '../../units/sequence-shape.ts';
import type { UnixMs } from '../../units/time.ts';
import type { Scheme, Verdict, WatchedPorts } from '../scheme.ts';
import type { Heard } from '../tracker.ts';
import {
  credentialId,
  sequencePorts,
  sequenceSessionSecret,
  stepAt,
  stepKey,
} from './totp-ports.ts';

/** Steps by which a client's clock may be off, each way. */
const SKEW_STEPS = 1;

/** A peer that knocks by sequences. */
interface TotpCredential {
  readonly peer: PeerName;
  /** 32 bytes */
  readonly secret: Uint8Array;
  readonly services: readonly ServiceName[];
}

export interface TotpOptions {
  readonly credentials: readonly TotpCredential[];
  /** 16 bytes */
  readonly responderId: Uint8Array;
  readonly shape: SequenceShape;
}

/** The ports of one step for one peer and service. */
interface Sequence {
  readonly credential: TotpCredential;
  readonly service: ServiceName;
  readonly key: Uint8Array;
  readonly step: number;
  readonly ports: readonly Port[];
}

/** Sequences that have a port, by that port. */
type Index = ReadonlyMap<number, readonly Sequence[]>;

/** Ports made from an RFC 6238 secret and the time: protocol-spec/sequence.md, section 4. */
export class TotpScheme implements Scheme {
  readonly name = 'totp';
  readonly fallsTo =
    '{A1,A2} who keeps a sequence back and sends it within its step from another address; {A1} who completes one of which a packet was lost; a neighbour behind the same NAT who connects first';
  readonly watched: readonly WatchedPorts[];
  readonly credentials: readonly string[];
  readonly #options: TotpOptions;
  readonly #steps = new Map<number, Index>();

  constructor(options: TotpOptions) {
    this.#options = options;
    this.watched = [options.shape];
    this.credentials = options.credentials.map(({ secret }) => credentialId(secret));
  }

  /** In any order: a port says by itself which knock of a sequence it is. */
  judge(trail: readonly Heard[], now: UnixMs): Verdict | null {
    const newest = trail.at(-1);
    if (newest === undefined) return null;
    const own = trail.filter(({ source }) => source === newest.source);
    for (const index of this.#indexesAround(stepAt(now))) {
      for (const sequence of index.get(newest.port) ?? []) {
        const used = this.#knocksOf(sequence, own);
        if (used !== null) return verdictOn(sequence, used);
      }
    }
    return null;
  }

  #knocksOf({ ports }: Sequence, trail: readonly Heard[]): readonly Heard[] | null {
    const { protocol } = this.#options.shape;
    const used: Heard[] = [];
    for (const port of ports) {
      const heard = trail.find((each) => each.port === port && each.protocol === protocol);
      if (heard === undefined) return null;
      used.push(heard);
    }
    return used;
  }

  // made once for each step, and not kept longer than it counts; whichever way the clock goes
  #indexesAround(step: number): readonly Index[] {
    const wanted = [0, -SKEW_STEPS, SKEW_STEPS].map((skew) => step + skew);
    for (const old of this.#steps.keys()) if (!wanted.includes(old)) this.#steps.delete(old);
    return wanted.map((each) => {
      const index = this.#steps.get(each) ?? this.#indexOf(each);
      this.#steps.set(each, index);
      return index;
    });
  }

  #indexOf(step: number): Index {
    const index = new Map<number, Sequence[]>();
    for (const sequence of this.#sequencesOf(step)) {
      for (const port of sequence.ports) {
        const sharing = index.get(port);
        if (sharing === undefined) index.set(port, [sequence]);
        else sharing.push(sequence);
      }
    }
    return index;
  }

  #sequencesOf(step: number): readonly Sequence[] {
    const { credentials, responderId, shape } = this.#options;
    return credentials.flatMap((credential) => {
      const key = stepKey({ secret: credential.secret, responderId }, step);
      return credential.services.map((service): Sequence => {
        return { credential, service, key, step, ports: sequencePorts(key, service, shape) };
      });
    });
  }
}

function verdictOn({ credential, service, key, step }: Sequence, used: readonly Heard[]): Verdict {
  return {
    action: { kind: 'open' },
    peer: credential.peer,
    service,
    sessionSecret: sequenceSessionSecret(key, service),
    once: { credential: credentialId(credential.secret), step },
    used,
  };
}
