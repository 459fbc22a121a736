import { TRIPLE_DES_KEY_LENGTH } from '../bytes/key-lengths.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Entropy } from '../host/entropy.ts';
import { isAscending } from '../sequence/schemes/fixed.ts';
import { formatKey } from '../store/key-text.ts';
import type { PeerName, ServiceName } from '../units/names.ts';
import { formatPortRange, type PortRange } from '../units/network.ts';
import { drawBelow, drawPorts } from './drawing.ts';

const INTRODUCTION =
  '# Whoever has this file can knock: hand it on by a safe way. The same on the server and on the client.';

/** Ports in a sequence of a new fixed scheme: a sweep over all ports, in any order, knocks with odds of one in 10^9 (sequence-fixed.md, section 3). */
const FIXED_KNOCKS = 8;

/** Digits of a new header and footer: the most there may be. */
const MARK_DIGITS = 5;

/** What is asked of a new scheme's file. */
interface SchemeRequest {
  readonly peer: PeerName;
  /** The ports to take: as many as the kind wants in a row, or any number to choose from. */
  readonly ports: PortRange;
}

/**
 * The text of a new file of kind `fixed`, all its ports different; no sequence is one that a scan would send.
 * @throws {HknockError} `usage` when there are too few ports to choose from
 */
export function renderFixedFile(
  { peer, service, ports }: SchemeRequest & { readonly service: ServiceName },
  entropy: Entropy,
): string {
  if (ports.last - ports.first + 1 < 3 * FIXED_KNOCKS) {
    throw new HknockError('usage', `fixed sequences need ${String(3 * FIXED_KNOCKS)} ports`);
  }
  const drawn = drawPorts(ports, 3 * FIXED_KNOCKS, entropy);
  const [open, close, ban] = [0, 1, 2].map((at) => {
    const own = drawn.slice(at * FIXED_KNOCKS, (at + 1) * FIXED_KNOCKS);
    const sequence = isAscending(own) ? own.reverse() : own;
    return `[${sequence.map((port) => `"tcp/${String(port)}"`).join(', ')}]`;
  });
  return `${INTRODUCTION}
kind = "fixed"
peer = "${peer}"
service = "${service}"
open = ${open ?? ''}
close = ${close ?? ''}
ban = ${ban ?? ''}
`;
}

/** The text of a new file of kind `dynamic`. */
export function renderDynamicFile({ peer, ports }: SchemeRequest, entropy: Entropy): string {
  const mark = (): string =>
    Array.from({ length: MARK_DIGITS }, () => String(drawBelow(10, entropy))).join('');
  return `${INTRODUCTION}
kind = "dynamic"
peer = "${peer}"
ports = "${formatPortRange(ports)}"
header = "${mark()}"
footer = "${mark()}"
digits = 5
`;
}

/** The text of a new file of kind `encrypted`. */
export function renderEncryptedFile({ peer, ports }: SchemeRequest, entropy: Entropy): string {
  return `${INTRODUCTION}
kind = "encrypted"
peer = "${peer}"
ports = "${formatPortRange(ports)}"
key = "${formatKey(entropy.bytes(TRIPLE_DES_KEY_LENGTH))}"
`;
}
