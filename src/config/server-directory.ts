import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { HknockError } from '../errors/hknock-error.ts';

/**
 * The server's folder when the command line names none: HKNOCK_DIR, else `/etc/hknock` for root, else `hknock/server`
 * in the user's configuration folder.
 * @throws {HknockError} `config` when nobody says where the user's home is
 */
export function serverDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
  uid: number | undefined = process.geteuid?.(),
): string {
  const named = env['HKNOCK_DIR'] ?? '';
  if (named !== '') return resolve(named);
  if (uid === 0) return '/etc/hknock';
  const folder = env['XDG_CONFIG_HOME'] ?? '';
  // a relative one is to be ignored (XDG Base Directory Specification)
  return join(isAbsolute(folder) ? folder : join(home(env), '.config'), 'hknock', 'server');
}

function home(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['HOME'] ?? '';
  if (named !== '') return named;
  try {
    return homedir();
  } catch (error) {
    throw new HknockError('config', 'nobody says where your home is', {
      hint: 'name the folder with --dir or HKNOCK_DIR',
      cause: error,
    });
  }
}
