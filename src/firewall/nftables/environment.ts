/**
 * Environment of the host's firewall programs: the texts of the C locale, the places where they are installed, and
 * a home in which nft cannot write a history file.
 */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const path = process.env['PATH'] ?? '/usr/bin:/bin';
  return { PATH: `${path}:/usr/sbin:/sbin`, LC_ALL: 'C', HOME: '/dev/null' };
}
