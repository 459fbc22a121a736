import { isPort, type ServicePort } from '../../units/network.ts';

/** What a command of knockd's does that puts a rule of iptables in or takes it out. */
export interface Rule {
  readonly action: 'open' | 'close';
  readonly port: ServicePort;
}

/** Words that stand alone in such a rule; all others come with a value. */
const single = new Set(['--syn']);

/** Words whose values narrow nothing that matters: modules, connection states, comments. */
const passedOver = new Set(['-m', '--match', '--state', '--ctstate', '--comment']);

/**
 * Reads `iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT` and its like: what lets the knocker in to one port, or no more.
 * @returns null for any other command
 */
export function readRule(command: string): Rule | null {
  const [program = '', ...words] = command.split(/\s+/);
  if (!/(^|\/)ip6?tables(-legacy|-nft)?$/.test(program)) return null;
  const options = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (single.has(word)) continue;
    // a position such as `-I INPUT 1`
    if (/^\d+$/.test(word) && words[at - 2] === '-I') continue;
    if (!word.startsWith('-') || options.has(word)) return null;
    const value = words[++at] ?? '';
    if (!passedOver.has(word)) options.set(word, value);
  }
  return ruleOf(options);
}

function ruleOf(options: Map<string, string>): Rule | null {
  const take = (...names: readonly string[]): string | undefined => {
    const name = names.find((each) => options.has(each)) ?? '';
    const value = options.get(name);
    options.delete(name);
    return value;
  };
  const put = take('-A', '-I', '--append', '--insert');
  const removed = take('-D', '--delete');
  const isForKnocker = take('-s', '--source', '--src') === '%IP%';
  const protocol = take('-p', '--protocol');
  const port = Number(take('--dport', '--destination-port'));
  const isAccepted = take('-j', '--jump') === 'ACCEPT';
  if (options.size > 0 || (put === undefined) === (removed === undefined)) return null;
  if (!isForKnocker || !isAccepted || !isPort(port)) return null;
  if (protocol !== 'tcp' && protocol !== 'udp') return null;
  return { action: put === undefined ? 'close' : 'open', port: { protocol, port } };
}
