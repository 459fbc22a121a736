import { isDeepStrictEqual } from 'node:util';
import type { ServerConfig } from '../config/server-config.ts';

/** The keys of `hknock.toml` that say something else now than at the start, and count from the next start only. */
export function keysThatWait(started: ServerConfig, now: ServerConfig): readonly string[] {
  const parts = (config: ServerConfig) => ({
    listen: config.listen,
    server: config.server,
    // how it is left is asked when it is left
    firewall: { ...config.firewall, onStop: null },
    admission: config.admission,
    limits: config.limits,
    gate: config.gate,
    sequence: config.sequence,
    // who may come by which numbers counts at once
    silent: [config.silent.enabled, config.silent.guessesPerDay, config.silent.sourceGuessesPerDay],
    fwknop: { enabled: config.fwknop.enabled, listen: config.fwknop.listen },
    log: config.logLevel,
    control: config.controlSocket,
    // whether there are any; what is said about them counts at once
    certificates: config.certificates !== null,
    // the same, and where it listens
    sknock: config.sknock?.listen ?? null,
  });
  const before = parts(started);
  return Object.entries(parts(now))
    .filter(([key, value]) => !isDeepStrictEqual(value, before[key as keyof typeof before]))
    .map(([key]) => key);
}
