import type { Completion } from './completions.ts';
import { renderWalk } from './shell.ts';

/** A completion script for bash, which takes `--option=value` apart into three words. */
export function renderBash(completions: readonly Completion[]): string {
  return `# hknock: completion for bash
_hknock() {
  local typed=("\${COMP_WORDS[@]:1:COMP_CWORD-1}") current=\${COMP_WORDS[COMP_CWORD]}
  [[ $current == '=' ]] && current=
${renderWalk(completions)}
  COMPREPLY=($(compgen -W "$offer" -- "$current"))
}
complete -o default -F _hknock hknock`;
}
