import type { Duplex } from 'node:stream';
import { HknockError } from '../errors/hknock-error.ts';
import type { ServiceName } from '../units/names.ts';
import type { KnockCliOptions } from './knock-options.ts';
import { withSpinner } from './terminal.ts';

/** `connect` with `--mode silent`: the connection whose first packet opens the port. */
export async function connectWithoutKnock(
  host: string,
  service: ServiceName | undefined,
  { profile: named, admission = [], prefix, tcpStealth }: KnockCliOptions,
): Promise<Duplex> {
  if (
    prefix === true ||
    (tcpStealth === true && admission.length > 0) ||
    admission.some((each) => each !== 'gate')
  ) {
    throw new HknockError(
      'usage',
      "silent mode leads to the service, or with '--admission gate' through the gate",
      {
        hint: 'which of the two it is says the policy of the server',
      },
    );
  }
  const { findProfile, hostWithin } = await import('./profile.ts');
  const { connectSilently } = await import('../client/silent.ts');
  const profile = await findProfile(host, named);
  const within = hostWithin(profile, host);
  return withSpinner(`connecting to ${host}`, () =>
    connectSilently(profile, {
      gate: admission.length > 0,
      ...(tcpStealth && { tcpStealth }),
      ...(service && { service }),
      ...(within && { host: within }),
    }),
  );
}
