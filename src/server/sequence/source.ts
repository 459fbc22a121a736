import type { Ignored } from '../../sequence/capture/ignored.ts';
import type { Packet } from '../../sequence/capture/packet.ts';

/** Is told of each packet that comes, or why it is none that can knock. */
export type PacketListener = (packet: Packet | Ignored) => void;

/** Where packets to closed ports are learnt of. */
export interface PacketSource {
  /** How often it has been started again. */
  readonly restarts: number;
  /** Packets that came quicker than they were fetched, since the last start. */
  readonly lost: number;
  /** Resolves when the listener will not be called any more. Safe to call twice. */
  stop(): Promise<void>;
}
