import type { Packet } from '../packet.ts';

/** A client says a thing again when nobody answers: the attacker need not. */
export function withoutRepetitions(packets: readonly Packet[]): readonly Packet[] {
  const key = ({ sourcePort, destinationPort, payload, tcp }: Packet): string =>
    [sourcePort, destinationPort, tcp?.sequence, Buffer.from(payload).toString('hex')].join();
  return [...new Map(packets.map((packet) => [key(packet), packet])).values()];
}
