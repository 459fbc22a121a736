import { SilentTable } from '../../src/firewall/nftables/silent-table.ts';
import type { Port } from '../../src/units/network.ts';
import { netTest } from '../support/capabilities.ts';
import { cleanUp, link, Namespace } from '../support/netns.ts';
import { visitWithNumber } from '../support/silent.ts';

/*
 *   scanner 192.0.2.10 to .13 --------- 192.0.2.1 server
 *           2001:db8:1::a, ::b          2001:db8:1::1
 *           2001:db8:2::a               2001:db8:2::1
 *
 * Nothing listens there and nothing is shut, so that each SYN is answered at once by a reset, and sent once.
 */
const door = { address: '192.0.2.1', port: 22 };
const port = door.port as Port;
const mark = 0x6b000020;

netTest(
  'silent: a source, an IPv6 /64 and all together are shut out, the gate excepted',
  async (t) => {
    const [server, scanner] = [await Namespace.create('server'), await Namespace.create('scanner')];
    cleanUp(t, () => Promise.all([server.remove(), scanner.remove()]).then(() => undefined));
    const sources = ['192.0.2.10/24', '192.0.2.11/24', '192.0.2.12/24', '192.0.2.13/24'];
    const sources6 = ['2001:db8:1::a/64', '2001:db8:1::b/64', '2001:db8:2::a/64'];
    const own = ['192.0.2.1/24', '2001:db8:1::1/64', '2001:db8:2::1/64'];
    await link(scanner, [...sources, ...sources6], server, own);
    // half of them at once: two of one source, five in all
    const table = new SilentTable({
      ...{ guessesPerDay: 10, sourceGuessesPerDay: 4, shutHours: 1 },
      gatePort: 62_203 as Port,
      nft: server.argv(['nft']),
    });
    await table.install([port]);
    await table.add(
      [
        { way: 'service', port, sequence: 1000, mark },
        { way: 'service', port, sequence: 1001, mark },
        { way: 'gate', port, sequence: 2000, mark },
      ],
      600_000,
    );
    const come = async (from: string, ...numbers: readonly number[]): Promise<unknown> => {
      const [, , net] = from.split(':');
      const address = net === undefined ? door.address : `2001:db8:${net}::1`;
      for (const number of numbers) {
        await visitWithNumber({ place: scanner }, { address, port, from }, number);
      }
      return table.counts();
    };

    const two = [1, 2];
    t.like(await come('2001:db8:1::a', ...two), { wrong: 2, unread: 0 });
    t.like(await come('2001:db8:1::a', 3), { wrong: 3, unread: 0 }, 'the one that is too many');
    t.like(
      await come('2001:db8:1::b', 1000),
      { unread: 1, admitted: 0 },
      'the same /64, though right',
    );
    t.like(await come('2001:db8:2::a', 1000), { unread: 1, admitted: 1 }, 'another /64');
    t.like(await come('192.0.2.10', ...two), { wrong: 5, unread: 1 });
    t.like(
      await come('192.0.2.11', 3),
      { wrong: 6, unread: 1 },
      'the one that is too many for all',
    );
    t.like(await come('192.0.2.12', 1001), { unread: 2, admitted: 1 }, 'nobody, though right');
    t.like(await come('192.0.2.13', 2000), { unread: 2, to_gate: 1 }, 'but through the gate');
    t.like(await come('192.0.2.13', 2000), { unread: 3, to_gate: 1 }, 'once');
  },
);
