import { HknockError } from '../../errors/hknock-error.ts';
import { applyOnce } from './apply-once.ts';
import { runOnce } from './once.ts';

/** Of its own, so that making the table of the grants anew leaves it alone. */
const TABLE = 'inet hknock_range';

const ETHERNET_HEADER = 14;

export interface KnockRange {
  /** First and last UDP port of the range. */
  readonly ports: readonly [number, number];
  /** Of ours, where they are to come in. */
  readonly to: number;
  /** Shortest Ethernet frame that is redirected, in bytes. */
  readonly minFrameLength: number;
}

/**
 * Has the kernel hand us the datagrams to a range of UDP ports, so that nobody needs a raw socket. A port on which a socket of
 * this machine listens stays that socket's, and answers to what this machine has sent itself go where they went. In place of
 * the range that was open before, if any.
 * @throws {HknockError} `host` when nft is missing, or the kernel or a privilege
 */
export async function openKnockRange(range: KnockRange): Promise<void> {
  await run(render(range));
}

/** Gives the ports back. Safe when none are taken. @throws {HknockError} as {@link openKnockRange} */
export async function closeKnockRange(): Promise<void> {
  await run(removal);
}

/** Whether the range is redirected; somebody else may have flushed it. */
export async function hasKnockRange(): Promise<boolean> {
  const { cause } = await runOnce('nft', ['list', 'chain', ...TABLE.split(' '), 'prerouting']);
  return cause === null;
}

const removal = [`add table ${TABLE}`, `delete table ${TABLE}`];

// after the translations of others: what they redirect is theirs
function render({ ports: [first, last], to, minFrameLength }: KnockRange): readonly string[] {
  const rules = [
    `udp dport != ${String(first)}-${String(last)} return`,
    `meta length < ${String(Math.max(0, minFrameLength - ETHERNET_HEADER))} return`,
    'fib daddr type != local return',
    // matches where there is a socket, whatever it is bound to
    'socket wildcard 0-1 return',
    // the address stays: "redirect" would put the interface's first one in its place, where we may not listen
    `meta l4proto udp dnat to :${String(to)}`,
  ];
  return [
    ...removal,
    `add table ${TABLE}`,
    `add chain ${TABLE} prerouting { type nat hook prerouting priority dstnat + 10; policy accept; }`,
    ...rules.map((rule) => `add rule ${TABLE} prerouting ${rule}`),
  ];
}

function run(commands: readonly string[]): Promise<void> {
  return applyOnce(commands, {
    refused: (said, cause) =>
      new HknockError('host', `the kernel does not redirect a range of ports: ${said}`, {
        hint: 'it needs nf_tables with nat, fib and socket (Linux 5.2 or newer)',
        cause,
      }),
  });
}
