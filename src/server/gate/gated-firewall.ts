import type { HknockError } from '../../errors/hknock-error.ts';
import type {
  Failures,
  Firewall,
  Opening,
  ProtectedPort,
  Transaction,
} from '../../host/firewall.ts';
import type { Admission } from '../../units/admission.ts';
import type { GrantId, ServiceName } from '../../units/names.ts';
import type { Gate } from './gate.ts';
import type { Holes } from './holes.ts';

/**
 * A firewall with the gate in it: what is granted with `gate` becomes a pass at the gate, and for the firewall below a
 * hole from the source to the gate's port, which every firewall can make.
 * @param isShut whether the firewall below is to shut the gate's port; otherwise the gate alone decides who gets in
 */
export class GatedFirewall implements Firewall {
  readonly admissions: readonly Admission[];
  readonly prefixes: boolean;
  readonly inUse?: NonNullable<Firewall['inUse']>;
  readonly #below: Firewall;
  readonly #gate: Gate;
  readonly #holes: Holes | null;

  constructor(below: Firewall, gate: Gate, isShut: boolean) {
    this.admissions = [...below.admissions, 'gate'];
    this.prefixes = below.prefixes ?? false;
    if (below.inUse) this.inUse = below.inUse.bind(below);
    this.#below = below;
    this.#gate = gate;
    this.#holes = isShut ? gate.holes : null;
  }

  async start(ports: readonly ProtectedPort[]): Promise<void> {
    await this.#gate.open();
    try {
      await this.#below.start([...ports, ...this.#gatePorts()]);
      this.#gate.leadTo(ports);
    } catch (fault) {
      this.#gate.close();
      throw fault;
    }
  }

  async protect(ports: readonly ProtectedPort[]): Promise<void> {
    await this.#below.protect([...ports, ...this.#gatePorts()]);
    this.#gate.leadTo(ports);
  }

  async apply({ opens, closes, cuts }: Transaction): Promise<Failures> {
    const own = opens.filter(({ admission }) => admission === 'gate');
    const others = opens.filter(({ admission }) => admission !== 'gate');
    const shut = this.#close(closes, new Set(own.map(({ grant }) => grant)));
    const holes = own.map((opening) => this.#open(opening));
    for (const cut of cuts) this.#gate.cut(cut);
    const needed = [
      ...new Map(holes.filter((each) => each !== null).map((h) => [h.grant, h])).values(),
    ];
    const failures = await this.#below.apply({
      opens: [...others, ...needed],
      // a hole that stands there already is made anew, for longer
      closes: [...shut, ...needed.map(({ grant }) => grant)],
      cuts,
    });
    return this.#tell(failures, own, holes);
  }

  async stop(leave: 'open' | 'shut'): Promise<void> {
    this.#gate.close();
    await this.#below.stop(leave);
  }

  #gatePorts(): readonly ProtectedPort[] {
    const port = { protocol: 'tcp', port: this.#gate.port } as const;
    const service = 'gate' as ServiceName;
    return this.#holes === null ? [] : [{ service, port, upstream: null }];
  }

  #open(opening: Opening): Opening | null {
    this.#gate.admit(opening);
    return this.#holes?.open(opening) ?? null;
  }

  /** Gives what the firewall below is to close. */
  #close(closes: readonly GrantId[], renewed: ReadonlySet<GrantId>): readonly GrantId[] {
    return closes.flatMap((grant) => {
      if (!this.#gate.has(grant)) return [grant];
      if (renewed.has(grant)) return [];
      this.#gate.end(grant);
      return this.#holes?.close(grant) ?? [];
    });
  }

  /** In the names of the grants what went wrong with their holes. */
  #tell(failures: Failures, own: readonly Opening[], holes: readonly (Opening | null)[]): Failures {
    const told = new Map<GrantId, HknockError>(failures);
    own.forEach(({ grant }, at) => {
      const failure = failures.get(holes[at]?.grant ?? grant);
      if (failure === undefined) return;
      told.set(grant, failure);
      this.#gate.end(grant);
      this.#holes?.close(grant);
    });
    return told;
  }
}
