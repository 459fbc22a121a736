/** A command line as an ordinary user with these capabilities and no way to more (capabilities(7)). */
export function asNobody(capabilities: string, argv: readonly string[]): readonly string[] {
  const sets = ['inh-caps', 'ambient-caps', 'bounding-set'];
  const flags = sets.map((set) => `--${set}=-all${capabilities}`);
  const user = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', '--no-new-privs'];
  return ['setpriv', ...user, ...flags, ...argv];
}
