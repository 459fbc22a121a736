import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../support/machine.ts';
import { addresses } from '../support/topology.ts';
import { readTypeScript } from '../support/typescript.ts';
import { type TwoMachines, withTwoMachines } from './two-machines.ts';

/** Lets one peer knock as fast as it can, which no server should. */
const unlimited = {
  peer_knocks_per_second: 100_000,
  peer_knocks_burst: 100_000,
  source_knocks_burst: 100_000,
  grants_per_peer: 100_000,
  grants_per_source: 100_000,
};

/** The real server with the kernel's firewall, and a client behind a NAT. */
export interface KnockStage extends TwoMachines {
  /** Runs a program of this folder on the client, with the profile's file as its first argument, and reads what it prints. */
  readonly run: <T>(program: string, ...args: readonly string[]) => Promise<T>;
}

/** By name, what `service add` is told of each: a port such as `tcp/8080`, and options. */
type Services = Readonly<Record<string, readonly string[]>>;

export function knockStage(services: Services): Promise<KnockStage> {
  return withTwoMachines(async ({ server, client }) => {
    const profile = await serve(server, services);
    const run = async <T>(program: string, ...args: readonly string[]): Promise<T> => {
      const path = fileURLToPath(new URL(program, import.meta.url));
      const node = [process.execPath, ...readTypeScript, path, profile];
      const { stdout } = await client.place.exec([...node, ...args], { timeoutMs: 120_000 });
      return JSON.parse(stdout) as T;
    };
    return { run };
  });
}

async function serve(server: Machine, services: Services): Promise<string> {
  const profile = server.path('bench.toml');
  await server.hknock(['init']);
  for (const [name, more] of Object.entries(services)) {
    await server.hknock(['service', 'add', name, ...more]);
  }
  const peer = ['peer', 'add', 'bench', '--service', Object.keys(services).join(',')];
  await server.hknock([...peer, '--host', addresses.server, '--out', profile]);
  liftLimits(server.path('server/hknock.toml'));
  await server.serve();
  return profile;
}

/** Writes those into a `hknock.toml`. */
export function liftLimits(file: string): void {
  const raised = Object.entries(unlimited).reduce(
    (text, [key, value]) =>
      text.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${String(value)}`),
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, raised);
}
