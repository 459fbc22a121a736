import { netTest } from '../support/capabilities.ts';
import { deploy } from '../support/deployment.ts';

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
  const codes = await Promise.all(
    Array.from({ length: KNOCKS }, async (_, i) => {
      const args = ['knock', 'gate', services[i % services.length] ?? ''];
      return (await client.hknockAlone(args, { allowFailure: true })).code;
    }),
  );
  const succeeded = codes.filter((code) => code === 0).length;
  t.true(succeeded >= AT_LEAST, `${String(succeeded)} of ${String(KNOCKS)}`);
  t.deepEqual(
    codes.filter((code) => code !== 0 && code !== 69),
    [],
  );
});
