import { familyOf } from '../../bytes/address.ts';
import type { Opening } from '../../host/firewall.ts';
import type { ServicePort } from '../../units/network.ts';

/** What is told to an operator's command. */
type Facts = Readonly<Record<string, string>>;

/** All that a command may want to know, under the names that it uses in its arguments. */
export function factsOf(opening: Opening, { protocol, port }: ServicePort): Facts {
  return {
    address: opening.source,
    family: `ipv${String(familyOf(opening.source))}`,
    protocol,
    port: String(port),
    lifetime: String(Math.ceil(opening.lifetimeMs / 1000)),
    grant: opening.grant,
    peer: opening.peer,
    service: opening.service,
  };
}

/** Puts the facts in place of `{address}` and the like in the arguments, never in the program's name. */
export function fillIn(
  [program = '', ...args]: readonly string[],
  facts: Facts,
): readonly string[] {
  const fill = (word: string): string =>
    word.replace(/\{[a-z]+\}/g, (placeholder) => facts[placeholder.slice(1, -1)] ?? placeholder);
  return [program, ...args.map(fill)];
}

/** The whole environment of a command: the facts as `HKNOCK_ADDRESS` and the like, and the search path. */
export function environmentOf(facts: Facts): Record<string, string> {
  const environment: Record<string, string> = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  for (const [name, fact] of Object.entries(facts)) {
    environment[`HKNOCK_${name.toUpperCase()}`] = fact;
  }
  return environment;
}
