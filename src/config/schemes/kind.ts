import type { z } from 'zod';
import type { Call, Hit, Scheme, WatchedPorts } from '../../sequence/scheme.ts';
import type { SchemeContext } from '../../sequence/scheme-context.ts';
import { choice, decodeToml, table, text } from '../../store/toml/fields.ts';
import { reportTroubles, type Source } from '../../store/toml/report.ts';
import type { Trouble } from '../../store/toml/trouble.ts';
import { type PeerName, parsePeerName } from '../../units/names.ts';
import type { Port } from '../../units/network.ts';

/** A scheme as its file sets it up, for either side. */
export interface SchemeFile {
  readonly name: string;
  readonly kind: string;
  /** Whose grants its knocks are; of no use to the client. */
  readonly peer: PeerName;
  /** Ports that the server has to keep shut and to watch. */
  readonly watched: readonly WatchedPorts[];
  /** Where the server tells which sequence is next; null when it does not. */
  readonly numberPort: Port | null;
  /** The server's side. */
  listen(context: Omit<SchemeContext, 'name' | 'peer'>): Scheme;
  /**
   * The client's side.
   * @throws {HknockError} `usage` when the scheme cannot say what the client wants
   */
  hits(call: Call): readonly Hit[];
}

/** A kind of scheme: what its file says beside `kind` and `peer`, and what the two sides make of it. */
interface KindParts<Document, Settings> {
  toSettings(document: Document): Settings;
  /** What keys by themselves cannot show. */
  troubles(settings: Settings): readonly Trouble[];
  watched(settings: Settings): readonly WatchedPorts[];
  numberPort?(settings: Settings): Port | null;
  listen(settings: Settings, context: SchemeContext): Scheme;
  hits(settings: Settings, call: Call): readonly Hit[];
}

/** Reads the text of a scheme's file of one kind. */
type DecodeScheme = (
  content: string,
  named: { readonly name: string; readonly kind: string },
  source: Source,
) => SchemeFile;

/** Puts a kind together. What it makes throws `HknockError` with every trouble's line and key, never with a value. */
export function schemeKind<const Keys extends Readonly<Record<string, z.ZodType>>, Settings>(
  keys: Keys,
  parts: KindParts<z.infer<z.ZodObject<Keys>>, Settings>,
): DecodeScheme {
  return (content, { name, kind }, source) => {
    const common = { kind: choice([kind]), peer: text("a peer's name", parsePeerName) };
    const schema = table({ ...common, ...keys });
    const { value, root } = decodeToml<unknown>(content, schema, source);
    const { peer } = value as { peer: PeerName };
    const settings = parts.toSettings(value as z.infer<z.ZodObject<Keys>>);
    const troubles = parts.troubles(settings);
    if (troubles.length > 0) reportTroubles(root, troubles, source);
    return {
      name,
      kind,
      peer,
      watched: parts.watched(settings),
      numberPort: parts.numberPort?.(settings) ?? null,
      listen: (context) => parts.listen(settings, { ...context, name, peer }),
      hits: (call) => parts.hits(settings, call),
    };
  };
}
