import { decodePacket } from '../../src/sequence/capture/packet.ts';
import { Tracker } from '../../src/sequence/tracker.ts';
import type { MonotonicMs } from '../../src/units/time.ts';
import { perSecond, type Row } from './table.ts';

const SOURCES = 100_000;
const PORTS = 10;

/** A SYN from one of many sources, with the options that Linux sends. */
function synFrom(source: number, port: number): Uint8Array {
  const packet = new Uint8Array(60);
  const view = new DataView(packet.buffer);
  packet.set([0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6], 0);
  packet.set([10, source >> 16, (source >> 8) & 255, source & 255, 198, 51, 100, 2], 12);
  view.setUint16(20, 40_000);
  view.setUint16(22, port);
  packet.set([0xa0, 0x02], 32);
  return packet;
}

/** What it costs to read and remember packets when there are more sources than there is room for. */
export function manySources(): Promise<readonly Row[]> {
  const tracker = new Tracker({
    budget: 32,
    windowMs: 15_000,
    ignoreMs: 60_000,
    capacity: 131_072,
  });
  const before = process.cpuUsage();
  for (let port = 1; port <= PORTS; port++) {
    for (let source = 0; source < SOURCES; source++) {
      const packet = decodePacket(synFrom(source, port));
      if (typeof packet !== 'string') tracker.observe(packet, port as MonotonicMs);
    }
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  const packets = SOURCES * PORTS;
  const row: Row = {
    what: `packets of ${String(SOURCES)} sources in turn read and remembered, per second of processor`,
    measured: perSecond(packets, seconds),
    target: 'at least 50,000',
    isReached: packets / seconds >= 50_000,
  };
  return Promise.resolve([row]);
}
