import type { ServerConfig } from '../../config/server-config.ts';
import { kernelAdmissions } from '../../firewall/nftables/layout.ts';
import { TOLERATED_ODDS } from '../../silent/odds.ts';
import { PeerStore } from '../../store/peer-store.ts';
import { fail, type Finding, ok, warn } from '../../units/finding.ts';
import { formatOdds, guessingOf } from '../silent/guessing.ts';
import { examineClock } from './sequences.ts';

/** What silent mode's 32 bits are worth here, if it is on. */
export async function examineSilent(config: ServerConfig): Promise<readonly Finding[]> {
  if (!config.silent.enabled) return [];
  // what is wrong with them is told elsewhere
  const peers = await new PeerStore(config.directory).list().catch(() => null);
  if (peers === null) return [];
  const hasGate = config.gate.listen.length > 0;
  const admissions = [...kernelAdmissions, ...(hasGate ? (['gate'] as const) : [])];
  const { port, numbers, guesses, odds } = guessingOf({ config, peers }, { admissions });
  if (port === null)
    return [ok('nobody gets in silently but through the gate, which no guess opens')];
  const said = `a stranger who guesses numbers gets in at tcp/${String(port)} with odds of ${formatOdds(odds)} a day at most (${String(numbers)} numbers at a time, ${String(guesses)} guesses)`;
  return [judge(said, odds, config), ...(await examineClock('numbers'))];
}

function judge(said: string, odds: number, { silent }: ServerConfig): Finding {
  if (odds <= TOLERATED_ODDS) return ok(said);
  const mend = "let its services have admission 'gate', or lower slots or guesses_per_day";
  if (silent.allowsGuessingOdds) return warn(said, mend);
  return fail(said, `${mend}; or say allow_guessing_odds = true in [silent]`);
}
