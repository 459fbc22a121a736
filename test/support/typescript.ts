/** What makes Node read TypeScript: its arguments before a program of ours. None where there are no types, as in `npm test`. */
export const readTypeScript: readonly string[] = import.meta.url.endsWith('.ts')
  ? ['--import', new URL('typescript/register.js', import.meta.url).href]
  : [];
