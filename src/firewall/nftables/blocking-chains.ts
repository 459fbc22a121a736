import { z } from 'zod';
import type { ServicePort } from '../../units/network.ts';
import { TABLE } from './layout.ts';

/** Chains of others that seem to drop some ports. */
export interface BlockingChain {
  /** Family, table and name, as nft takes them. */
  readonly chain: string;
  readonly ports: readonly ServicePort[];
}

const place = { family: z.string(), table: z.string() };

const chainSchema = z.object({
  ...place,
  name: z.string(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});

/** An object with the statement's name as its key; where nft has none for a statement, such as a map's `delete`, its text. */
const statementSchema = z.union([
  z.record(z.string(), z.unknown()),
  z.string().transform((text): Record<string, unknown> => ({ [text]: null })),
]);

const ruleSchema = z.object({
  ...place,
  chain: z.string(),
  expr: z.array(statementSchema),
});

/** What `nft -j list ruleset` prints (libnftables-json(5)), as far as it matters here. */
const rulesetSchema = z.object({
  nftables: z.array(z.object({ chain: chainSchema.optional(), rule: ruleSchema.optional() })),
});

const portMatchSchema = z.object({
  left: z.object({ payload: z.object({ protocol: z.string(), field: z.literal('dport') }) }),
  right: z.unknown(),
});

type Rule = z.infer<typeof ruleSchema>;
type Statement = Rule['expr'][number];

/** Matches of iptables that can name ports and that nft cannot show. */
const opaqueMatches = ['multiport', 'set'];

/** The input chains outside our table that end in a drop and in whose table nothing seems to accept some of the ports. */
export function blockingChains(
  json: string,
  wanted: readonly ServicePort[],
): readonly BlockingChain[] {
  const { nftables } = rulesetSchema.parse(JSON.parse(json));
  const rules = nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  return nftables
    .flatMap(({ chain }) => (chain === undefined ? [] : [chain]))
    .filter(({ hook, family, table }) => hook === 'input' && `${family} ${table}` !== TABLE)
    .flatMap(({ family, table, name, policy }) => {
      const ofTable = rules.filter((rule) => rule.family === family && rule.table === table);
      const ends = ofTable.some((rule) => rule.chain === name && dropsAll(rule));
      if (policy !== 'drop' && !ends) return [];
      const ports = wanted.filter((port) => !ofTable.some((rule) => mayAccept(rule, port)));
      return ports.length === 0 ? [] : [{ chain: `${family} ${table} ${name}`, ports }];
    });
}

function dropsAll({ expr }: Rule): boolean {
  return isUnconditional(expr) && expr.some((each) => 'drop' in each || 'reject' in each);
}

/** Whether a rule is about this port, or about all, and leads to an accept. Where we cannot tell: yes. */
function mayAccept({ expr }: Rule, port: ServicePort): boolean {
  if (isUnconditional(expr)) return expr.some((each) => 'accept' in each);
  if (!expr.some((each) => ['accept', 'jump', 'goto', 'vmap'].some((key) => key in each))) {
    return false;
  }
  if (expr.some(isOpaque)) return true;
  const about = expr.filter((each) => JSON.stringify(each).includes('"dport"'));
  return about.length > 0 && about.every((each) => mayMatch(each, port));
}

function isUnconditional(expr: readonly Statement[]): boolean {
  return !expr.some((each) => ['match', 'xt', 'vmap', 'jump', 'goto'].some((key) => key in each));
}

function isOpaque({ xt }: Statement): boolean {
  const match = z.object({ name: z.string() }).safeParse(xt);
  return match.success && opaqueMatches.includes(match.data.name);
}

function mayMatch({ match }: Statement, { protocol, port }: ServicePort): boolean {
  const known = portMatchSchema.safeParse(match);
  if (!known.success) return true;
  const { left, right } = known.data;
  return ['th', protocol].includes(left.payload.protocol) && includes(right, port);
}

function includes(right: unknown, port: number): boolean {
  if (typeof right === 'number') return right === port;
  const set = z.object({ set: z.array(z.unknown()) }).safeParse(right);
  if (set.success) return set.data.set.some((each) => includes(each, port));
  const range = z.object({ range: z.tuple([z.number(), z.number()]) }).safeParse(right);
  if (!range.success) return true;
  const [first, last] = range.data.range;
  return first <= port && port <= last;
}
