import { styleText } from 'node:util';

const isPlain = !process.stdout.isTTY || (process.env['NO_COLOR'] ?? '') !== '';
const style = (format: Parameters<typeof styleText>[0], text: string): string =>
  isPlain ? text : styleText(format, text);

let scenes = 0;

export function tell(...lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

/** Begins a numbered scene. */
export function scene(title: string): void {
  tell('', style('bold', `${String(++scenes)}. ${title}`));
}

/** Shows a command as somebody would type it. */
export function command(who: string, line: string): void {
  tell(`   ${style('cyan', `${who}$`)} ${line}`);
}

/** Shows what a command said. */
export function output(text: string): void {
  for (const line of text.trimEnd().split('\n')) tell(style('dim', `     ${line}`));
}

/**
 * Says what was to be seen.
 * @throws {Error} when it was not
 */
export function shows(claim: string, isTrue: boolean): void {
  if (!isTrue) throw new Error(`did not show: ${claim}`);
  tell(`   ${style('green', '✔')} ${claim}`);
}
