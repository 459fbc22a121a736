import type { z } from 'zod';
import { parseAddress } from '../bytes/address.ts';
import { flag, list, table, text, wholeNumber } from '../store/toml/fields.ts';
import type { Trouble } from '../store/toml/trouble.ts';
import type { ServerConfig, SilentConfig } from './server-config.ts';

/** The table `[silent]` of `hknock.toml`. */
export const silentSchema = table({
  enabled: flag().default(false),
  addresses: list(
    text('an address such as "198.51.100.2"', parseAddress),
    'addresses',
    [0, 16],
  ).default([]),
  slots: wholeNumber(1, 64).default(4),
  guesses_per_day: wholeNumber(2, 1_000_000_000).default(300),
  source_guesses_per_day: wholeNumber(2, 1_000_000_000).default(30),
  tcp_stealth: flag().default(false),
  allow_guessing_odds: flag().default(false),
});

/** The values of the table, with our names. */
export function toSilent(
  document: z.infer<typeof silentSchema>,
  publicHosts: readonly string[],
): SilentConfig {
  const { enabled, slots, addresses } = document;
  const published = publicHosts.map(parseAddress).filter((each) => each !== null);
  return {
    enabled,
    addresses: [...new Set(addresses.length > 0 ? addresses : published)],
    slots,
    guessesPerDay: document.guesses_per_day,
    sourceGuessesPerDay: document.source_guesses_per_day,
    hasTcpStealth: document.tcp_stealth,
    allowsGuessingOdds: document.allow_guessing_odds,
  };
}

/** What is wrong with the table beyond its single values. */
export function silentTroubles({
  silent: { enabled, addresses },
  firewall: { backend },
}: ServerConfig): readonly Trouble[] {
  if (!enabled) return [];
  const noAddress = {
    path: ['silent', 'addresses'],
    expected: 'the addresses under which clients reach this server, since public_hosts names none',
  };
  const noKernel = {
    path: ['silent', 'enabled'],
    expected: "false, unless [firewall] backend is 'nftables'",
  };
  return [
    ...(addresses.length === 0 ? [noAddress] : []),
    ...(backend === 'nftables' ? [] : [noKernel]),
  ];
}
