import { InvalidArgumentError, Option } from 'commander';
import { serverDirectory } from '../config/server-directory.ts';
import { parseAddress } from '../bytes/address.ts';
import { parsePrefix } from '../bytes/prefix.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { type Admission, admissions } from '../units/admission.ts';
import type { IpAddress, Prefix } from '../units/network.ts';

/** `--dir DIR`, or HKNOCK_DIR. */
export function dirOption(): Option {
  return new Option('--dir <dir>', "the server's folder").env('HKNOCK_DIR').argParser(notEmpty);
}

/** The server's folder: what `--dir` says, or else the usual one. */
export function directoryOf({ dir }: { readonly dir?: string | undefined }): string {
  return dir ?? serverDirectory();
}

/** `--profile P`, or HKNOCK_PROFILE. */
export function profileOption(): Option {
  return new Option('--profile <name>', 'the profile to use: its name, or the path of its file')
    .env('HKNOCK_PROFILE')
    .argParser(notEmpty);
}

/** `--admission A` */
export function admissionOption(description: string): Option {
  return new Option('--admission <admission>', description).choices(admissions);
}

/** `--admission A[,…]` */
export function admissionsOption(description: string): Option {
  return new Option('--admission <admissions>', description).argParser(
    commaSeparated((text): Admission => {
      const admission = admissions.find((each) => each === text);
      if (admission !== undefined) return admission;
      throw new HknockError('usage', `'${text}' is no admission`, {
        hint: `use ${admissions.join(', ')}, or several with commas, best first`,
      });
    }),
  );
}

/** `--expect PREFIX[,…]` */
export function expectOption(): Option {
  const description = 'addresses to be seen at, such as 203.0.113.0/24; elsewhere no proof is sent';
  return new Option('--expect <prefixes>', description).argParser(commaSeparated(readPrefix));
}

function readPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix !== null) return prefix;
  throw new HknockError('usage', `'${text}' is not a prefix`, {
    hint: "write an address, or '203.0.113.0/24' or '2001:db8::/32' with no bit set behind the prefix",
  });
}

/** `--source ADDRESS` */
export function sourceOption(): Option {
  const description =
    "with --mode fwknop or sknock: the address to let in, with fwknop IPv4 or 'any' (default: that of the profile, or else the one that this machine has)";
  return new Option('--source <address>', description).argParser(argument(readSource));
}

function readSource(text: string): IpAddress | 'any' {
  const address = text === 'any' ? text : parseAddress(text);
  if (address !== null) return address;
  throw new HknockError('usage', `'${text}' is neither an address nor 'any'`);
}

/** `--json` */
export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** Lets commander tell the user what is wrong with an argument, in the words of our own parsers. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (fault) {
      if (!(fault instanceof HknockError)) throw fault;
      throw new InvalidArgumentError([fault.message, fault.hint].filter(Boolean).join('; '));
    }
  };
}

/** A list separated by commas, each part read by `parse`. */
export function commaSeparated<T>(parse: (text: string) => T): (text: string) => readonly T[] {
  return argument((text) => text.split(',').map((each) => parse(each)));
}

// an unset shell variable must not mean the current folder
function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}
