import type { Completion } from './completions.ts';
import { renderWalk } from './shell.ts';

/** A completion script for zsh: as a file `_hknock` in `fpath`, or read by `source` after `compinit`. */
export function renderZsh(completions: readonly Completion[]): string {
  return `#compdef hknock
# hknock: completion for zsh
_hknock() {
  local typed=("\${(@)words[2,CURRENT-1]}") current=\${words[CURRENT]}
${renderWalk(completions)}
  if [[ -n $offer ]]; then
    compadd -- \${=offer}
  else
    _files
  fi
}
if [[ $funcstack[1] == _hknock ]]; then
  _hknock "$@"
else
  compdef _hknock hknock
fi`;
}
