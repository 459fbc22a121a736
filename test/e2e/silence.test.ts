import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { netTest } from '../support/capabilities.ts';
import { ask, deploy, servicePort } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';
import { readTypeScript } from '../support/typescript.ts';

const sender = fileURLToPath(new URL('silence-sender.ts', import.meta.url));

/** Counts all that the server sends over the network but TCP: answers, and the kernel's own ICMP. */
const watch = `
  table inet watch {
    counter answers {}
    chain output {
      type filter hook output priority 0;
      oif != lo meta l4proto { udp, icmp } counter name answers
    }
  }`;

interface Sent {
  readonly sent: number;
  readonly answersToWrong: number;
  readonly outcome: string;
}

interface Status {
  readonly replayRecords: number;
  readonly knocks: { readonly drops: Readonly<Record<string, number>> };
}

netTest(
  'every message cut at every length, and with every byte changed, meets silence',
  async (t) => {
    // so that every datagram reaches the process
    const shieldless = (text: string): string => text.replace('shield = true', 'shield = false');
    const { server, client, daemon } = await deploy(t, { configure: shieldless });
    await server.place.exec(['nft', '-f', '-'], { input: watch });
    const pid = daemon.child.pid ?? 0;
    const before = residentMb(pid);

    const run = ['node', ...readTypeScript, sender];
    const { stdout } = await client.run([...run, server.path('alice.toml'), addresses.server]);
    const { sent, answersToWrong, outcome } = JSON.parse(stdout) as Sent;
    t.is(answersToWrong, 0);
    t.is(outcome, 'granted', 'and the handshake that it happened to is not disturbed');
    t.is(await answersOf(server), 2, 'the Challenge and the Grant');

    const { knocks, replayRecords } = (await ask(server, 'status')) as Status;
    const { drops } = knocks;
    t.is(
      Object.values(drops).reduce((sum, each) => sum + each),
      sent - (await lostIn(server)),
    );
    for (const reason of ['length', 'tag', 'mac', 'malformed', 'cookie', 'proof']) {
      t.true((drops[reason] ?? 0) > 0, `${reason} was reached: ${JSON.stringify(drops)}`);
    }
    t.like(knocks, { answered: 1, granted: 1, refused: 0 });
    t.is(replayRecords, 1);
    const grown = residentMb(pid) - before;
    t.true(grown < 40, `${grown.toFixed(1)} MB more`);
    t.is(await visit(client, { address: addresses.server, port: servicePort }), welcome);
  },
);

async function answersOf(server: Machine): Promise<number> {
  const { stdout } = await server.place.exec([
    'nft',
    'list',
    'counter',
    'inet',
    'watch',
    'answers',
  ]);
  return Number(/packets (\d+)/.exec(stdout)?.[1]);
}

/** How many UDP datagrams came while the receive buffer was full, as happens when the server's process has to wait. */
async function lostIn({ place }: Machine): Promise<number> {
  const { stdout } = await place.exec(['nstat', '-asz', 'UdpRcvbufErrors']);
  return Number(/UdpRcvbufErrors +(\d+)/.exec(stdout)?.[1]);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
