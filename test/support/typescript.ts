/** What makes Node read TypeScript: its arguments before a program of ours. */
export const readTypeScript: readonly string[] = [
  '--import',
  new URL('typescript/register.js', import.meta.url).href,
];
