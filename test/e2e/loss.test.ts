import type * as library from '../../src/index.ts';
import { netTest } from '../support/capabilities.ts';
import { deploy } from '../support/deployment.ts';
import { inline } from '../support/inline.ts';

const KNOCKS = 24;

/*
 * Of five Requests with their Challenges, and then of five Responses with their Grants, at least one pair must get
 * through, at 0.7 * 0.7 each: a knock succeeds with 0.93. Fewer than 15 of 24 do so once in half a million runs. Without
 * retransmission a knock would succeed with 0.24, and 15 of 24 once in ten thousand.
 */
const AT_LEAST = 15;

netTest.serial('with 30 % lost each way most knocks succeed, and the others say so', async (t) => {
  const services = ['web', 'b', 'c', 'd'];
  const { client } = await deploy(t, {
    lossPercent: 30,
    // all at once: what is tried here is the network, not the limits
    configure: (text) =>
      text
        .replace('peer_knocks_burst = 20', 'peer_knocks_burst = 1000')
        .replace('grants_per_peer = 16', 'grants_per_peer = 1000')
        .concat(
          ...services
            .slice(1)
            .map((s, i) => `[services.${s}]\nports = ["tcp/${String(9000 + i)}"]\n`),
        ),
    services: services.join(','),
  });
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const wanted = Array.from({ length: KNOCKS }, (_, i) => services[i % services.length] ?? '');
  const { stdout } = await client.run(inline(knockForAll, index, ...wanted));
  const results = JSON.parse(stdout) as readonly string[];
  t.is(results.length, KNOCKS);
  const succeeded = results.filter((result) => result === 'granted').length;
  t.true(succeeded >= AT_LEAST, `${String(succeeded)} of ${String(KNOCKS)}`);
  t.deepEqual(
    results.filter((result) => result !== 'granted' && result !== 'no-answer'),
    [],
  );
});

/** Knocks for each of the services, at once, and says what comes of it. */
async function knockForAll(path: string, ...services: readonly string[]): Promise<void> {
  const { knock, ProfileStore } = (await import(path)) as typeof library;
  const [profile] = await new ProfileStore().list();
  if (profile === undefined) throw new Error('no profile');
  const knockFor = (service: string): Promise<string> =>
    knock(profile, { service: service as library.ServiceName }).then(
      (result) => (result.granted ? 'granted' : result.reason),
      (fault: unknown) => (fault as library.HknockError).code,
    );
  console.log(JSON.stringify(await Promise.all(services.map(knockFor))));
}
