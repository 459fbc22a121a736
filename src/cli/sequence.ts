import type { Command } from 'commander';
import type { Sequence } from '../client/sequence.ts';
import type { Profile } from '../store/profile.ts';
import { parseServiceName, type ServiceName } from '../units/names.ts';
import { argument, profileOption } from './options.ts';
import { print, tell } from './terminal.ts';

/** `hknock sequence` */
export function addSequence(program: Command): void {
  program
    .command('sequence')
    .description(
      'Knocks at the closed ports that this half minute has, where the server listens to sequences. Nobody answers.',
    )
    .argument('<host>', "a profile's name, or a host that a profile lists")
    .argument('[service]', 'what to have opened', argument(parseServiceName))
    .addOption(profileOption())
    .option('--print', "print the arguments for Debian's knock, and send nothing")
    .addHelpText(
      'after',
      '\nEach half minute opens one service once.\n\nExamples:\n  hknock sequence gate.example.org ssh\n  knock $(hknock sequence gate.example.org ssh --print)',
    )
    .action(sequence);
}

async function sequence(
  host: string,
  service: ServiceName | undefined,
  { profile: named, print: only }: { profile?: string; print?: true },
): Promise<void> {
  const { findProfile, hostWithin } = await import('./profile.ts');
  const { sendSequence, sequenceNow } = await import('../client/sequence.ts');
  const profile = await findProfile(host, named);
  const within = hostWithin(profile, host);
  const options = { ...(service && { service }), ...(within !== undefined && { host: within }) };
  const now = await sequenceNow(profile, options);
  if (only) {
    print(knockArguments(now));
    await tellCode(profile);
    return;
  }
  await sendSequence(now);
  const knocks = `${String(now.ports.length)} ${now.protocol} ports of ${now.address}`;
  tell(`knocked at ${knocks} for ${now.service}; whether it opened, only connecting tells`);
}

function knockArguments({ address, protocol, ports }: Sequence): string {
  return [address, ...ports.map((port) => `${String(port)}:${protocol}`)].join(' ');
}

/** So that somebody with an authenticator can see whether secret and clock agree. */
async function tellCode({ sequence: key }: Profile): Promise<void> {
  if (key === undefined) return;
  const { authenticatorCode } = await import('../store/authenticator.ts');
  const { createSystemClock } = await import('../system/clock.ts');
  tell(`an authenticator shows ${authenticatorCode(key.secret, createSystemClock().unixMs())} now`);
}
