import { parseAddress } from '../../bytes/address.ts';
import { poolOf } from '../../bytes/prefix.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import type { Cut, Used } from '../../host/firewall.ts';
import type { GrantId } from '../../units/names.ts';
import { type IpAddress, isPort, type Port, type Prefix } from '../../units/network.ts';
import type { Connection } from './connections.ts';
import { families, hex } from './layout.ts';
import { markOfPeer, OUR_MARKS, peerPart } from './marks.ts';
import { runOnce } from './once.ts';

/** What conntrack says, with exit code 1, when there was nothing to delete. */
const NOTHING = '0 flow entries have been deleted';

/**
 * The TCP connections that came in by grants of a peer, by what conntrack knows.
 * @throws {HknockError} `host` when conntrack is missing or refuses
 */
export async function connectionsOf(
  cut: Cut,
  command: readonly string[],
): Promise<readonly Connection[]> {
  return parseFlows(await eachFamily(cut, command, '-L'));
}

/**
 * Makes the kernel forget the connections of a peer. What comes in of them then passes for new and is dropped.
 * @throws {HknockError} `host` when conntrack is missing or refuses
 */
export async function forgetConnections(cut: Cut, command: readonly string[]): Promise<void> {
  await eachFamily(cut, command, '-D');
}

/** A UDP flow that came in by a grant and has been answered. */
export interface UdpFlow {
  readonly source: IpAddress;
  readonly port: Port;
  readonly mark: number;
}

/**
 * Those of some grants by which UDP flows came in that live.
 * @throws {HknockError} `host` when conntrack is missing or refuses
 */
export async function grantsInUse(
  grants: readonly Used[],
  command: readonly string[],
): Promise<ReadonlySet<GrantId>> {
  const filter = ['-p', 'udp', '--mark', `${hex(OUR_MARKS.value)}/${hex(OUR_MARKS.mask)}`];
  const listed = families.map((family) =>
    run(command, ['-L', '-f', `ipv${String(family)}`, ...filter]),
  );
  const text = (await Promise.all(listed)).join('\n');
  const flows = new Set(parseUdpFlows(text).flatMap(waysOf));
  const used = grants.filter(({ peer, source, breadth, ports }) => {
    const { value } = markOfPeer(peer);
    const from = breadth === undefined ? source : poolOf(source);
    return ports.some(
      ({ protocol, port }) => protocol === 'udp' && flows.has(wayOf({ from, port }, value)),
    );
  });
  return new Set(used.map(({ grant }) => grant));
}

/** Both by which a grant can have let it in: for its address, and for the prefix of that. */
function waysOf({ source, port, mark }: UdpFlow): readonly string[] {
  return [source, poolOf(source)].map((from) => wayOf({ from, port }, peerPart(mark)));
}

interface Way {
  readonly from: IpAddress | Prefix;
  readonly port: Port;
}

function wayOf({ from, port }: Way, peer: number): string {
  return `${from} ${String(port)} ${String(peer)}`;
}

/** Reads the lines of `conntrack -L` for UDP, without the flows that nobody has answered. */
export function parseUdpFlows(text: string): readonly UdpFlow[] {
  return text.split('\n').flatMap((line) => {
    const [, source, to, mark] =
      /^udp .*?\bsrc=(\S+) .*?\bdport=(\d+) .*\bmark=(\d+)/.exec(line) ?? [];
    const address = parseAddress(source ?? '');
    const port = Number(to);
    if (address === null || !isPort(port) || line.includes('[UNREPLIED]')) return [];
    return [{ source: address, port, mark: Number(mark) }];
  });
}

/** @throws {HknockError} `host` when there is no conntrack program that runs */
export async function requireConntrack(command: readonly string[] = ['conntrack']): Promise<void> {
  await run(command, ['--version']);
}

/** Reads the lines of `conntrack -L`: the first of each pair of values is the direction of the first packet. */
export function parseFlows(text: string): readonly Connection[] {
  return text.split('\n').flatMap((line) => {
    const [, source, from, to] =
      /^tcp .*?\bsrc=(\S+) .*?\bsport=(\d+) dport=(\d+)/.exec(line) ?? [];
    const address = parseAddress(source ?? '');
    const localPort = Number(to);
    return address === null || !isPort(localPort)
      ? []
      : [{ remote: { address, port: Number(from) }, localPort }];
  });
}

async function eachFamily(
  { peer, source }: Cut,
  command: readonly string[],
  action: '-L' | '-D',
): Promise<string> {
  const { value, mask } = markOfPeer(peer);
  const said = families
    .filter((family) => source === null || source.includes(':') === (family === 6))
    .map((family) => {
      const filter = ['-f', `ipv${String(family)}`, '--mark', `${hex(value)}/${hex(mask)}`];
      return run(command, [action, ...filter, ...(source === null ? [] : ['-s', source])]);
    });
  return (await Promise.all(said)).join('\n');
}

async function run(
  [program = 'conntrack', ...prefix]: readonly string[],
  args: readonly string[],
): Promise<string> {
  const { cause, stdout, stderr } = await runOnce(program, [...prefix, ...args]);
  if (cause === null || stderr.includes(NOTHING)) return stdout;
  throw failure(cause, stderr);
}

function failure(cause: Error, stderr: string): HknockError {
  return 'code' in cause && cause.code === 'ENOENT'
    ? new HknockError('host', 'there is no conntrack program, so connections cannot be cut', {
        hint: 'apt-get install conntrack',
        cause,
      })
    : new HknockError('host', `conntrack failed: ${stderr.trim()}`, { cause });
}
