import type { Completion, OptionCompletion, Words } from './completions.ts';
import { listProfiles, quote, valueOptions } from './shell.ts';

/** A completion script for fish, which knows by itself what is an option and what its value. */
export function renderFish(completions: readonly Completion[]): string {
  const commands = completions.slice(1).map(({ path }) => quote(path));
  return `# hknock: completion for fish
function __hknock_at -d 'Whether this command comes before the cursor, and this many of its arguments'
    set -l at hknock
    set -l option
    set -l arguments 0
    for word in (commandline -opc)[2..]
        if test -n "$option"
            set option
            continue
        end
        switch "$at $word"
            case ${commands.join(' ')}
                set at "$at $word"
            case ${valueOptions(completions).map(quote).join(' ')}
                set option $word
            case '* -*'
            case '*'
                set arguments (math $arguments + 1)
        end
    end
    test "$at" = "$argv[1]"; and contains -- "$argv[2]" '' $arguments
end
${completions.flatMap(linesOf).join('\n')}`;
}

function linesOf({ path, options, next }: Completion): readonly string[] {
  const line = (condition: string, rest: string): string =>
    `complete -c hknock -n "__hknock_at ${condition}" ${rest}`;
  return [
    ...(next === 'anything' ? [] : [line(`${quote(path)} 0`, `-f -a ${offer(next)}`)]),
    ...options.map((option) => line(quote(path), optionOf(option))),
  ];
}

function optionOf({ flags, value }: OptionCompletion): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  if (value === null) return names.join(' ');
  const values = value === 'anything' ? '-r' : `-x -a ${offer(value)}`;
  return `${names.join(' ')} ${values}`;
}

function offer(words: Exclude<Words, 'anything'>): string {
  return words === 'profile' ? `"(${listProfiles})"` : quote(words.join(' '));
}
