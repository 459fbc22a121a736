// Run in a namespace: passes packets on between devices that the kernel made for it (TUN), one for each side it is a router to.
// On its way a packet comes to the router's interface `to-SIDE`, is led to the device `from-SIDE`, and read here; what is written
// to a device comes from it as if it had been received, and goes where its destination is.
import { openSync, read, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadLibc } from '../system/libc.ts';
import { report, takeOrders } from './orders.ts';

/** A packet that has come; its id, when it waits for what is to be done with it. */
export interface Passing {
  readonly side: string;
  readonly bytes: Uint8Array;
  readonly atUnixMs: number;
  readonly waits: boolean;
}

export interface Flood {
  readonly packets: readonly Uint8Array[];
  readonly perSecond: number;
}

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_NO_PI = 0x1000;
const IFREQ_LENGTH = 40;
const FLAGS_AT = 16;
const MAX_PACKET = 65_535;

/** Packets that come late are made up for in one go, but not more than these. */
const FLOOD_TURN_MS = 4;

const libc = await loadLibc();
const sides = process.argv.slice(2);
const devices = new Map(sides.map((side) => [side, open(`from-${side}`)]));
const [someDevice = -1] = devices.values();
let isHolding = false;
let flooding = new AbortController();

const orders = {
  /** From now on packets wait (true) until they are sent, or pass at once. */
  hold: (held: boolean) => {
    isHolding = held;
  },
  send: (packets: readonly Uint8Array[]) => {
    for (const packet of packets) write(packet);
  },
  flood: async ({ packets, perSecond }: Flood) => {
    flooding = new AbortController();
    const { signal } = flooding;
    const startedAt = performance.now();
    for (let sent = 0; !signal.aborted;) {
      const due = ((performance.now() - startedAt) * perSecond) / 1000;
      for (; sent < due; sent++) write(packets[sent % packets.length] ?? new Uint8Array());
      await sleep(FLOOD_TURN_MS);
    }
  },
  stopFlood: () => {
    flooding.abort();
  },
};

export type WireOrders = typeof orders;

for (const [side, device] of devices) listen(side, device);
takeOrders(orders);

function open(name: string): number {
  const device = openSync('/dev/net/tun', 'r+');
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(name);
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, FLAGS_AT);
  if (libc.ioctl(device, TUNSETIFF, request) === -1) throw new Error(`no device ${name}`);
  return device;
}

function listen(side: string, device: number): void {
  const buffer = Buffer.alloc(MAX_PACKET);
  read(device, buffer, 0, MAX_PACKET, null, (error, length) => {
    if (error === null && (buffer[0] ?? 0) >> 4 === 4) {
      const bytes = Uint8Array.from(buffer.subarray(0, length));
      if (!isHolding) write(bytes);
      const passing: Passing = { side, bytes, atUnixMs: Date.now(), waits: isHolding };
      report(passing);
    }
    listen(side, device);
  });
}

function write(packet: Uint8Array): void {
  try {
    writeSync(someDevice, packet);
  } catch {
    // the kernel takes no packet that it cannot send on: it is lost, as packets are
  }
}
