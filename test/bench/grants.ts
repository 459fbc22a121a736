import { createNftables } from '../../src/firewall/nftables/nftables.ts';
import { FakeLog } from '../../src/host/fake-log.ts';
import { type Firewall, type Opening, plainDoor } from '../../src/host/firewall.ts';
import { parseAddress } from '../../src/bytes/address.ts';
import { createSystemClock } from '../../src/system/clock.ts';
import { type GrantId, parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { parseServicePort } from '../../src/units/network.ts';
import { parseDuration } from '../../src/units/time.ts';
import { Namespace } from '../support/netns.ts';
import { table } from '../unit/firewall/bench.ts';
import { milliseconds, percentile, type Row } from './table.ts';

/** As many as the paper's Figure 2 opens (Sel, Totakura, Carle, section V.A). */
const MANY = 131_070;

/** Timed one after the other at each level. */
const SAMPLES = 1000;

/** Grants that are added in one transaction while the table is filled. */
const AT_ONCE = 1000;

/** What adding a grant to the kernel's table takes when it is empty, and when it holds 131,070. */
export async function grants(): Promise<readonly Row[]> {
  const server = await Namespace.create('bench');
  const nft = server.argv(['nft']);
  const firewall = createNftables({ table, clock: createSystemClock(), log: new FakeLog(), nft });
  try {
    const service = parseServiceName('ssh');
    await firewall.start([{ service, port: parseServicePort('tcp/22'), upstream: null }]);
    await timesToOpen(firewall, 1_000_000); // warms up
    const empty = percentile(await timesToOpen(firewall, 2_000_000), 50);
    await fill(firewall);
    const full = percentile(await timesToOpen(firewall, 3_000_000), 50);
    return [
      { what: 'adding a grant to an empty table, p50', measured: milliseconds(empty) },
      { what: `adding a grant beside ${String(MANY)} others, p50`, measured: milliseconds(full) },
      {
        what: 'ratio',
        measured: (full / empty).toFixed(2),
        target: 'at most 1.2',
        isReached: full / empty <= 1.2,
      },
    ];
  } finally {
    await firewall.stop('open');
    await server.remove();
  }
}

/** Opens grants one by one and closes them again. */
async function timesToOpen(firewall: Firewall, from: number): Promise<readonly number[]> {
  const times: number[] = [];
  const opened: GrantId[] = [];
  for (let number = from; number < from + SAMPLES; number++) {
    const opening = openingOf(number);
    const startedAt = performance.now();
    await open(firewall, [opening]);
    times.push(performance.now() - startedAt);
    opened.push(opening.grant);
  }
  await firewall.apply({ opens: [], closes: opened, cuts: [] });
  return times;
}

async function fill(firewall: Firewall): Promise<void> {
  for (let from = 0; from < MANY; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, MANY - from);
    await open(
      firewall,
      Array.from({ length }, (_, index) => openingOf(from + index)),
    );
  }
}

async function open(firewall: Firewall, opens: readonly Opening[]): Promise<void> {
  const failures = await firewall.apply({ opens, closes: [], cuts: [] });
  for (const failure of failures.values()) throw failure;
}

function openingOf(number: number): Opening {
  const bytes = [198, (number >> 16) & 255, (number >> 8) & 255, number & 255];
  const source = parseAddress(bytes.join('.'));
  if (source === null) throw new RangeError('four bytes are an address');
  return {
    grant: number.toString(16).padStart(16, '0') as GrantId,
    peer: parsePeerName('bench'),
    service: parseServiceName('ssh'),
    source,
    ports: [parseServicePort('tcp/22')],
    admission: 'once',
    door: plainDoor,
    lifetimeMs: parseDuration('1h'),
  };
}
