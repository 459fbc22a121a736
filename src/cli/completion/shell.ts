import type { Completion, Words } from './completions.ts';

/** Prints the names of the profiles kept here, in any shell. */
export const listProfiles = "hknock profiles 2>/dev/null | sed -e 1d -e 's/ .*//'";

/** In single quotes; none of our words has one in it. */
export function quote(text: string): string {
  return `'${text}'`;
}

/** The options that take a value, each behind its command: `hknock serve --firewall`. */
export function valueOptions(completions: readonly Completion[]): readonly string[] {
  return completions.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== null)
      .flatMap(({ flags }) => flags.map((flag) => `${path} ${flag}`)),
  );
}

/**
 * What bash and zsh both understand: it walks over the words `typed` before the one that is completed, `current`, and leaves
 * in `offer` the words that can stand there; none when that is for the shell to know.
 */
export function renderWalk(completions: readonly Completion[]): string {
  const commands = completions.slice(1).map(({ path }) => quote(path));
  return `  local at=hknock option= offer= arguments=0 word=
  for word in "\${typed[@]}"; do
    [[ $word == -- ]] && break
    [[ $word == '=' ]] && continue
    if [[ -n $option ]]; then
      option=
      continue
    fi
    case "$at $word" in
      ${commands.join(' | ')}) at="$at $word" ;;
      ${valueOptions(completions).map(quote).join(' | ')}) option=$word ;;
      *' -'*) ;;
      *) arguments=$((arguments + 1)) ;;
    esac
  done
  if [[ $word == -- ]]; then
    :
  elif [[ -n $option ]]; then
    case "$at $option" in
${completions.flatMap(optionCases).join('')}    esac
  elif [[ $current == -* ]]; then
    case "$at" in
${completions.map(flagCase).join('')}    esac
  elif [[ $arguments == 0 ]]; then
    case "$at" in
${completions.map(({ path, next }) => offerCase(path, next)).join('')}    esac
  fi`;
}

function optionCases({ path, options }: Completion): readonly string[] {
  return options.flatMap(({ flags, value }) =>
    value === null ? [] : flags.map((flag) => offerCase(`${path} ${flag}`, value)),
  );
}

function flagCase({ path, options }: Completion): string {
  const flags = options.flatMap((option) => option.flags);
  return offerCase(path, flags);
}

function offerCase(pattern: string, words: Words): string {
  if (words === 'anything') return '';
  const offer = words === 'profile' ? `$(${listProfiles})` : quote(words.join(' '));
  return `      ${quote(pattern)}) offer=${offer} ;;\n`;
}
