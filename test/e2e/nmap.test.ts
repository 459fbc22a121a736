import { netTestWith } from '../support/capabilities.ts';
import { deploy, servicePort } from '../support/deployment.ts';
import type { Machine } from '../support/machine.ts';
import { addresses, dropByDefault } from '../support/topology.ts';

/** How many ports nmap finds in which state, by its own words. */
async function scan(from: Machine, options: string): Promise<Record<string, number>> {
  const quick = '-n -Pn --max-retries 1 --min-rate 500 -oX -'.split(' ');
  const argv = ['nmap', ...quick, ...options.split(' '), addresses.server];
  const { stdout } = await from.place.exec(argv);
  const found: Record<string, number> = {};
  const add = (state = '', count = '1'): number =>
    (found[state] = (found[state] ?? 0) + Number(count));
  // the state that most have is told once for all of them
  for (const [, state, count] of stdout.matchAll(/<extraports state="(.+?)" count="(\d+)"/g)) {
    add(state, count);
  }
  for (const [, state] of stdout.matchAll(/<port .*?<state state="(.+?)"/g)) add(state);
  return found;
}

const around = `${String(servicePort - 50)}-${String(servicePort + 49)}`;

netTestWith('nmap')('no port is open to a scan, nor does ours differ from the dead', async (t) => {
  const { topology, client, daemon } = await deploy(t);
  await dropByDefault(topology.server);
  const tcp = await scan(client, `-sS -p ${around}`);
  const udp = await scan(client, '-sU -p 62190-62209');
  t.deepEqual(tcp, { filtered: 100 });
  t.deepEqual(udp, { 'open|filtered': 20 });

  await daemon.end();
  const open = await scan(client, `-sS -p ${around}`);
  t.deepEqual(open, { filtered: 99, open: 1 }, 'it was hknock that shut it');
});
