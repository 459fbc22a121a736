import { isDeepStrictEqual } from 'node:util';
import type { Overrides } from '../config/load.ts';
import { loadServerFolder, type ServerFolder } from '../config/server-folder.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { BoundSocket } from '../dgram-ext/bound-socket.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { Grants, type PeerClosing } from '../grants/grants.ts';
import type { Grant } from '../grants/live-grants.ts';
import { KnockLimits } from '../guard/knock-limits.ts';
import { PeerTable } from '../handshake/peer-table.ts';
import { Responder } from '../handshake/responder.ts';
import type { Clock } from '../host/clock.ts';
import type { Entropy } from '../host/entropy.ts';
import type { Firewall } from '../host/firewall.ts';
import type { Load } from '../host/load.ts';
import type { Log } from '../host/log.ts';
import { decide, type Policy } from '../policy/policy.ts';
import type { PeerRecord } from '../store/peer-file.ts';
import { PeerStore } from '../store/peer-store.ts';
import type { Knock, Outcome } from '../units/knock.ts';
import type { GrantId, PeerName } from '../units/names.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';
import { Certificates } from './certificates.ts';
import type { Gate } from './gate/gate.ts';
import { withGate } from './gate/with-gate.ts';
import { createDoors } from './doors.ts';
import { FloodGate } from './flood-gate.ts';
import { createGatekeeper } from './gatekeeper.ts';
import { bindKnockSocket } from './knock-socket.ts';
import { createLeaseKeeper } from './lease-keeper.ts';
import type { Mode, Shared, StartMode } from './mode.ts';
import { forgetPeers, startModes, stopModes } from './modes.ts';
import { KnockPort } from './knock-port.ts';
import { Peers } from './peers.ts';
import { keysThatWait } from './restart-keys.ts';
import { policyOf, protectedPorts } from './policy.ts';
import type { ServerStatus } from './server-status.ts';
import { requireSound } from './sound-folder.ts';

export interface ServerOptions {
  /** The server's folder, as `hknock init` makes it. */
  readonly directory: string;
  readonly overrides?: Overrides;
  /** Makes the firewall that the configuration asks for. */
  readonly createFirewall: (folder: ServerFolder) => Firewall;
  /** What may run beside the challenge-response port, as far as the folder asks for it; nothing if not said. */
  readonly modes?: readonly StartMode[];
  /** How much there is to do; never too much if not said. */
  readonly load?: Load;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** The parts of a server that has been set up. */
interface Parts {
  readonly socket: BoundSocket;
  readonly shared: Shared | null;
  readonly firewall: Firewall;
  readonly gate: Gate | null;
  readonly grants: Grants;
  readonly limits: KnockLimits;
  readonly responder: Responder;
  readonly port: KnockPort;
  readonly flood: FloodGate;
  readonly admit: (knock: Knock) => Promise<Outcome>;
}

/** A running server: the rooms put together. */
export class Server {
  readonly #options: ServerOptions;
  readonly #peerTable = new PeerTable();
  readonly #peers: Peers;
  readonly #parts: Parts;
  readonly #startedAt: number;
  /** What those parts go by that a reload does not change. */
  readonly #started: ServerConfig;
  #folder: ServerFolder;
  #policy: Policy;
  #reloading: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;
  #certificates: Certificates | null = null;
  #modes: readonly Mode[] = [];

  /**
   * Reads the folder, binds the port, shuts the services' ports, and takes knocks. When any of it fails nothing is left changed.
   * @throws {HknockError} `config`, `bind` or `host`
   */
  static async start(options: ServerOptions): Promise<Server> {
    const folder = await loadServerFolder(options.directory, options.overrides);
    // before the firewall: a port that is taken must not leave services shut
    const socket = await bindKnockSocket(folder.config, options);
    try {
      const { firewall, gate } = withGate(options.createFirewall(folder), folder.config, options);
      requireSound(folder, firewall);
      await firewall.start(protectedPorts(folder.config));
      const server = new Server(options, folder, { socket, firewall, gate });
      await server.#startModes();
      return server;
    } catch (fault) {
      await socket.close();
      throw fault;
    }
  }

  private constructor(
    options: ServerOptions,
    folder: ServerFolder,
    { socket, firewall, gate }: Pick<Parts, 'socket' | 'firewall' | 'gate'>,
  ) {
    const { clock, entropy, log, load = { busy: () => 0 } } = options;
    const { limits } = folder.config;
    this.#options = options;
    this.#started = folder.config;
    this.#folder = folder;
    this.#startedAt = clock.monotonicMs();
    this.#peers = new Peers(this.#peerTable, folder.responderId);
    this.#peers.update(folder.peers);
    this.#policy = policyOf(folder.config, this.#peers.records);

    const perPeer = limits.grantsPerPeer;
    const grantLimits = { perPeer, perSource: limits.grantsPerSource, total: limits.grants };
    const grants = new Grants({ firewall, clock, entropy, log, limits: grantLimits });
    const policy = (): Policy => this.#policy;
    const admit = createGatekeeper({
      grants,
      policy,
      enforceable: firewall.admissions,
      doorOf: createDoors({ clock, entropy, gate, config: () => this.#folder.config }),
      log,
    });
    const knockLimits = new KnockLimits(limits.peerKnocks, limits.sourceKnocks);
    const flood = new FloodGate({ load, clock, log });
    const own = { socket, peers: this.#peerTable, cookieRoot: entropy.bytes(32) };
    const shared = folder.config.server.workers > 1 ? own : null;
    const responder = new Responder({
      peers: this.#peerTable,
      admits: flood.admits,
      entropy,
      limits: knockLimits,
      replayCapacity: limits.replayRecords,
      cookieRoot: shared?.cookieRoot ?? null,
    });
    const keepLease = createLeaseKeeper(grants, log);
    const port = new KnockPort({ socket, responder, admit, keepLease, flood, clock, log });
    const made = { grants, limits: knockLimits, responder, port, flood, admit };
    this.#parts = { socket, firewall, gate, shared, ...made };
  }

  async #startModes(): Promise<void> {
    const { clock, entropy, log, modes = [] } = this.#options;
    const { grants, firewall } = this.#parts;
    const folder = this.#folder;
    try {
      this.#certificates = await Certificates.start(folder.config, { grants, clock, log });
      const certificates = this.#certificates;
      const context = { ...this.#parts, folder, certificates, clock, entropy, log };
      this.#modes = await startModes(modes, context);
    } catch (fault) {
      await this.#certificates?.stop();
      await firewall.stop(this.#folder.config.firewall.onStop);
      throw fault;
    }
  }

  status(): ServerStatus {
    const { socket, gate, grants, responder, port, flood } = this.#parts;
    const { config } = this.#folder;
    return {
      uptimeMs: this.#options.clock.monotonicMs() - this.#startedAt,
      listen: socket.local.map(formatEndpoint),
      firewall: this.#started.firewall.backend,
      peers: this.#peers.records.size,
      services: config.services.size,
      grants: grants.list().length,
      replayRecords: responder.replayRecordSize,
      knocks: port.counters(),
      overload: flood.status(),
      datagrams: socket.counters(),
      ...(gate && { gate: gate.counters() }),
      ...(this.#certificates && { certificates: this.#certificates.status() }),
      modes: Object.fromEntries(this.#modes.map((mode) => [mode.name, mode.counters()])),
    };
  }

  grants(): readonly Grant[] {
    return this.#parts.grants.list();
  }

  /**
   * Ends one grant, and with `cut` the connections that came in from its address; false when there is none of that id.
   * @throws {HknockError} `firewall` or `host` when the firewall did not do all of it
   */
  closeGrant(id: GrantId, options: { readonly cut: boolean }): Promise<boolean> {
    return this.#parts.grants.close(id, options);
  }

  /**
   * Ends all grants of a peer; gives how many.
   * @throws {HknockError} `firewall` or `host` when the firewall did not do all of it
   */
  closePeer(name: PeerName, options: { readonly cut: boolean }): Promise<number> {
    return this.#parts.grants.closePeers([{ peer: name, ...options }]);
  }

  /**
   * Reads the folder again: peers, services and policy count at once, and grants that they no longer allow end. Listening addresses,
   * firewall backend and limits count from the next start.
   * @throws {HknockError} `config` or `firewall`; all but revocations is as it was then. `usage` when the server has been stopped
   */
  reload(): Promise<void> {
    // one after the other: the last to ask must see the folder as it is then
    const next = this.#reloading.then(() => this.#reload());
    this.#reloading = next.catch(() => undefined);
    return next;
  }

  /** Stops taking knocks, and leaves the firewall as the configuration says. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #reload(): Promise<void> {
    if (this.#stopping !== null) throw new HknockError('usage', 'the server is stopping');
    // first, so that nothing else that is wrong with the folder keeps a revoked peer in
    const revoked = await this.#forgetRevoked();
    await this.#certificates?.refresh();
    try {
      await this.#takeOver();
    } finally {
      await this.#parts.grants.closePeers(this.#revocations(revoked));
    }
    const { peers, config } = this.#folder;
    const { log } = this.#options;
    log.info('reloaded', { peers: peers.length, revoked: revoked.length });
    const waiting = keysThatWait(this.#started, config);
    if (waiting.length > 0) log.warn('counts from the next start', { changed: waiting.join(',') });
  }

  /** Makes strangers of the peers whose files are gone. */
  async #forgetRevoked(): Promise<readonly PeerRecord[]> {
    const names = await new PeerStore(this.#options.directory).names();
    const left = [...this.#peers.records.values()].filter(({ name }) => names.has(name));
    const { revoked } = this.#peers.update(left);
    // for modes that find their peers without the table of tags
    this.#policy = policyOf(this.#folder.config, this.#peers.records);
    await forgetPeers(this.#modes, revoked);
    return revoked;
  }

  async #takeOver(): Promise<void> {
    const folder = await loadServerFolder(this.#options.directory, this.#options.overrides);
    requireSound(folder, this.#parts.firewall);
    const takeCertificates = await this.#certificates?.prepare(folder.config);
    await this.#parts.firewall.protect(protectedPorts(folder.config));
    const { revoked, rotated } = this.#peers.update(folder.peers);
    this.#folder = folder;
    this.#policy = policyOf(folder.config, this.#peers.records);
    await takeCertificates?.();
    for (const mode of this.#modes) await mode.reload(folder);
    const lost = rotated.map(({ name }) => ({ peer: name, cut: false }));
    // side by side: what the firewall cannot do for the one does not keep the other undone
    await Promise.all([
      this.#parts.grants.closePeers([...this.#revocations(revoked), ...lost]),
      this.#closeDisallowed(),
    ]);
  }

  async #stop(): Promise<void> {
    await this.#parts.socket.close();
    this.#parts.flood.stop();
    this.#parts.port.stop();
    await stopModes(this.#modes);
    await this.#certificates?.stop();
    // a reload that came after would shut again what has been opened
    await this.#reloading;
    await this.#parts.firewall.stop(this.#folder.config.firewall.onStop);
    this.#options.log.info('stopped');
  }

  #revocations(revoked: readonly PeerRecord[]): readonly PeerClosing[] {
    const { cutOnRevoke: usually } = this.#folder.config.policy;
    return revoked.map(({ name, cutOnRevoke }) => ({ peer: name, cut: cutOnRevoke ?? usually }));
  }

  #closeDisallowed(): Promise<void> {
    const { grants, firewall } = this.#parts;
    return grants.closeUnless((grant) => {
      const observed: Endpoint = { address: grant.source, port: 0 };
      const decision = decide(this.#policy, { ...grant, observed }, firewall.admissions);
      // a port that was taken from the service may be another's now
      return !('kind' in decision) && isDeepStrictEqual(decision.ports, grant.ports);
    });
  }
}
