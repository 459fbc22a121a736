import type { TableOptions } from '../../../src/firewall/nftables/layout.ts';
import {
  type Door,
  type Firewall,
  type Opening,
  plainDoor,
  type ProtectedPort,
  type Transaction,
} from '../../../src/host/firewall.ts';
import type { Admission } from '../../../src/units/admission.ts';
import type { GrantId, PeerName, ServiceName } from '../../../src/units/names.ts';
import type { IpAddress, Port, Protocol, ServicePort } from '../../../src/units/network.ts';
import type { DurationMs } from '../../../src/units/time.ts';
import type { Agent, Result } from './agent.ts';

/** A firewall with echo services behind it and an agent before it. */
export interface Bench {
  readonly agent: Agent;
  /** The addresses that a client of each family can have; at least one of IPv4, two where the title says so. */
  readonly sources: { readonly v4: readonly string[]; readonly v6: readonly string[] };
  readonly server: { readonly v4: string; readonly v6: string };
  /** Two ports with an echo service on TCP and UDP. */
  readonly ports: readonly [number, number];
  /** What a client without a grant meets. */
  readonly closed: readonly Result[];
  readonly protect: (port: ServicePort) => ProtectedPort;
}

/** What of the nftables backend's table is configured. */
export const table: TableOptions = {
  ports: { first: 20_000 as Port, last: 29_999 as Port },
  portGuesses: 8,
};

/** Long enough for a loaded machine; only what fails waits so long. */
const PATIENCE_MS = 5000;

/** What does not come in at once does not come: retransmissions of TCP begin after a second. */
const GLANCE_MS = 300;

let made = 0;

export interface GrantOptions {
  readonly peer?: string;
  readonly admission?: Admission;
  readonly lifetimeMs?: number;
  readonly grant?: string;
  readonly door?: Partial<Door>;
}

export function opening(
  source: string,
  ports: readonly ServicePort[],
  { peer = 'ann', admission = 'address', lifetimeMs = 60_000, grant, door }: GrantOptions = {},
): Opening {
  return {
    grant: (grant ?? `grant-${String(++made)}`) as GrantId,
    peer: peer as PeerName,
    service: 'echo' as ServiceName,
    source: source as IpAddress,
    ports,
    admission,
    door: { ...plainDoor, ...door },
    lifetimeMs: lifetimeMs as DurationMs,
  };
}

export function tcp(port: number): ServicePort {
  return { protocol: 'tcp', port: port as Port };
}

export function udp(port: number): ServicePort {
  return { protocol: 'udp', port: port as Port };
}

export function transaction(part: Partial<Transaction>): Transaction {
  return { opens: [], closes: [], cuts: [], ...part };
}

/** Opens, and fails the test when that fails. */
export async function open(firewall: Firewall, ...opens: readonly Opening[]): Promise<void> {
  const failures = await firewall.apply(transaction({ opens }));
  for (const failure of failures.values()) throw failure;
}

export interface Visit {
  readonly source: string;
  readonly port: number;
  readonly protocol?: Protocol;
  readonly sourcePort?: number;
  /** Of the SYN. */
  readonly sequence?: number;
  /** So many other SYNs go out just before that one. */
  readonly behind?: number;
  /** Keeps the connection under this name. */
  readonly name?: string;
}

/** Whether a client that expects to get in does. */
export async function getsIn(bench: Bench, visit: Visit): Promise<boolean> {
  return (await attempt(bench, visit, PATIENCE_MS)) === 'echoed';
}

/** Whether a client finds the door closed. */
export async function isKeptOut(bench: Bench, visit: Visit): Promise<boolean> {
  return bench.closed.includes(await attempt(bench, visit, GLANCE_MS));
}

/** Whether an established connection still carries data. */
export async function isAlive(bench: Bench, name: string): Promise<boolean> {
  return (await bench.agent.say(name, PATIENCE_MS)) === 'echoed';
}

export async function isDead(bench: Bench, name: string): Promise<boolean> {
  return (await bench.agent.say(name, GLANCE_MS)) !== 'echoed';
}

async function attempt(
  { agent, server }: Bench,
  { source, port, protocol = 'tcp', name, ...rest }: Visit,
  waitMs: number,
): Promise<Result> {
  const address = source.includes(':') ? server.v6 : server.v4;
  const connection = name ?? `connection-${String(++made)}`;
  const result = await agent[protocol](connection, { source, address, port, waitMs, ...rest });
  if (name === undefined) await agent.close(connection);
  return result;
}
