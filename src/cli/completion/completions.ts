import type { Argument, Command, Option } from 'commander';

/** What can come after a command, such as `hknock peer add`. */
export interface Completion {
  /** The command's words from the first on, with one space between them. */
  readonly path: string;
  readonly options: readonly OptionCompletion[];
  /** What the next word can be: a subcommand or the first argument. */
  readonly next: Words;
}

export interface OptionCompletion {
  /** Every way to write it: `-h` and `--help`. */
  readonly flags: readonly string[];
  /** What its value can be; null when it takes none. */
  readonly value: Words | null;
}

/** One of these words, the name of a profile, or what only the user can know, such as a file. */
export type Words = readonly string[] | 'profile' | 'anything';

/** Everything that can be completed, from the program's own commands; the program itself comes first. */
export function completionsOf(program: Command): readonly Completion[] {
  return listOf(program, { path: program.name(), siblings: [] });
}

function listOf(
  command: Command,
  { path, siblings }: { readonly path: string; readonly siblings: readonly string[] },
): readonly Completion[] {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  const subcommands = help.visibleCommands(command);
  const names = subcommands.map((each) => each.name());
  const [first] = command.registeredArguments;
  // 'help' takes the name of a command beside it
  const next = command.name() === 'help' ? siblings : wordsOf(first);
  return [
    { path, options: options.map(toOption), next: names.length > 0 ? names : next },
    ...subcommands.flatMap((each) =>
      listOf(each, { path: `${path} ${each.name()}`, siblings: names }),
    ),
  ];
}

function toOption(option: Option): OptionCompletion {
  const { short, long, required, optional } = option;
  const flags = [short, long].filter((each) => typeof each === 'string');
  return { flags, value: required || optional ? wordsOf(option) : null };
}

function wordsOf(slot: Option | Argument | undefined): Words {
  if (slot?.argChoices) return slot.argChoices;
  return ['host', 'profile'].includes(slot?.name() ?? '') ? 'profile' : 'anything';
}
