import { startService } from '../support/service.ts';
import { startEcho } from '../support/udp-flow.ts';
import { knockStage } from './knock-stage.ts';
import { milliseconds, percentile, type Row } from './table.ts';

const TIMED = 500;
const WARM_UP = 1000;

/** Ports of the services, and of the same services where nothing is shut. */
const shut = { web: 8080, echo: 8082 } as const;
const open = { web: 8081, echo: 8083 } as const;

/** Milliseconds, in the order in which they were measured. */
interface Times {
  readonly without: readonly number[];
  readonly withKnock: readonly number[];
}

/**
 * What a knock adds to the first word from a service: the paper's Table I, there between machines that a cable joined (Sel,
 * Totakura, Carle, section V.C), here through a NAT in namespaces.
 */
export async function overhead(): Promise<readonly Row[]> {
  const stage = await knockStage({
    web: [`tcp/${String(shut.web)}`],
    // not once: where the NAT takes a port again, the flow is an old one to the kernel, and a grant would be left over
    echo: [`udp/${String(shut.echo)}`, '--admission', 'address', '--ttl', '1s'],
  });
  try {
    for (const { web, echo } of [shut, open]) {
      await startService(stage.server, web);
      await startEcho(stage.server, echo);
    }
    const ports = [shut.echo, open.web, open.echo].map(String);
    const { tcp, udp } = await stage.run<Readonly<Record<'tcp' | 'udp', Times>>>(
      'overhead-program.ts',
      String(WARM_UP + TIMED),
      ...ports,
    );
    return [
      ...rows('a TCP connection', tcp, ['1.97', '18.25', '16.27']),
      ...rows('a datagram and its answer', udp, ['0.74', '17.37', '16.63']),
    ];
  } finally {
    await stage.remove();
  }
}

function rows(what: string, times: Times, paper: readonly [string, string, string]): Row[] {
  const [without, withKnock] = [times.without, times.withKnock].map((each) =>
    percentile(each.slice(WARM_UP), 50),
  ) as [number, number];
  return [
    {
      what: `${what} without a knock, p50 (paper: ${paper[0]} ms)`,
      measured: milliseconds(without),
    },
    { what: `the same with one, p50 (paper: ${paper[1]} ms)`, measured: milliseconds(withKnock) },
    {
      what: `what the knock adds (paper: ${paper[2]} ms)`,
      measured: milliseconds(withKnock - without),
    },
  ];
}
