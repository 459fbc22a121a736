import { guessingOf } from '../../server/silent/guessing.ts';
import { readProfileFile } from '../../store/profile-file.ts';
import type { Guessing } from '../guessing.ts';
import type { World } from '../scheme.ts';
import { guessesOfResponses } from '../schemes/guesses.ts';
import { guessingAtChallenge, guessingAtSknock } from '../schemes/guessing-at-certificates.ts';
import { guessingAtTotp } from '../schemes/guessing-at-sequences.ts';
import { guessingAtSpa } from '../schemes/guessing-at-spa.ts';
import { RESPONSE_LENGTH } from '../schemes/handshake.ts';
import { guessingAtNumbers, wrongNumbers } from '../schemes/silent.ts';
import { type Copy, portOf } from './copy.ts';
import { enforcing, type OwnConfig } from './own-folder.ts';

/**
 * How somebody guesses at a copy: what is good at a time counts as the operator has it, with all peers. Null for the schemes of files,
 * whose ports a stranger would have to find first.
 */
export async function guessingFor(
  own: OwnConfig,
  copy: Copy,
  world: World,
): Promise<Guessing | null> {
  const { config, way } = copy;
  const { counted } = copy;
  const port = portOf(config.listen);
  switch (way.mode) {
    case 'handshake': {
      const { tag } = await readProfileFile(copy.profile);
      return guessesOfResponses({ tag, length: RESPONSE_LENGTH, port }, counted);
    }
    case 'certificate':
      return guessingAtChallenge(copy.identity, counted, port);
    case 'sknock':
      return guessingAtSknock(copy.identity, {
        counted,
        port: portOf(config.sknock?.listen ?? []),
        wanted: way.port.port,
      });
    case 'fwknop': {
      const looks = (): Promise<number> => counted('dropped hmac', 'fwknop');
      return { ...guessingAtSpa(portOf(config.fwknop.listen)), looks };
    }
    case 'silent':
      return guessingAtNumbers(numbersOf(own, copy), () => wrongNumbers(world, counted));
    case 'totp': {
      const looks = (): Promise<number> => counted('heard', 'sequence');
      const secrets = own.peers
        .filter(({ totp }) => totp !== null)
        .reduce((sum, { services }) => sum + services.length, 0);
      return { ...guessingAtTotp(config.sequence.totp, { ...config.sequence, secrets }), looks };
    }
    default:
      return null;
  }
}

function numbersOf(own: OwnConfig, { way }: Copy): Parameters<typeof guessingAtNumbers>[0] {
  const { numbers } = guessingOf(own, enforcing(own.config));
  return {
    gate: way.admission === 'gate',
    numbers: Math.max(1, numbers),
    port: way.port.port,
    perDay: own.config.silent.sourceGuessesPerDay,
  };
}
