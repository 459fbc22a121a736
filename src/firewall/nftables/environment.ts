/**
 * Environment of the host's firewall programs: the texts of the C locale, the system's own folders first (npm puts
 * node_modules/.bin before them, and another program of the name `nft` may be there), and a home in which nft cannot
 * write a history file.
 */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const path = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', process.env['PATH'] ?? ''].join(':');
  return { PATH: path, LC_ALL: 'C', HOME: '/dev/null' };
}
