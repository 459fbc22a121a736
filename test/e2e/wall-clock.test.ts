import { netTestWith } from '../support/capabilities.ts';
import { type Knocked, deploy } from '../support/deployment.ts';
import { welcome } from '../support/service.ts';

const TEN_YEARS_MS = 10 * 365.25 * 86_400_000;

/** Times of the kernel's monotonic clock stay right, as on a machine whose clock was set wrongly. */
const env = { DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };

for (const [offset, years] of [
  ['+10y', 10],
  ['-10y', -10],
] as const) {
  netTestWith('faketime')(`a client whose clock is off by ${offset} gets in`, async (t) => {
    const { client } = await deploy(t);
    const run = (...args: readonly string[]) =>
      client.run(['faketime', '-f', offset, ...client.argv(...args)], { env });
    const knocked = JSON.parse((await run('knock', 'gate', '--json')).stdout) as Knocked;
    const offMs = Date.parse(knocked.expiresAt) - Date.now();
    t.true(knocked.granted);
    t.true(Math.abs(offMs - (years / 10) * TEN_YEARS_MS) < 10 * 86_400_000, 'the clock was off');
    t.is((await run('connect', 'gate')).stdout, `${welcome}\n`);
  });
}
