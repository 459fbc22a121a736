import type { ServerConfig } from '../../config/server-config.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import type { FwknopKeys } from '../../store/fwknop-key-text.ts';
import type { PeerRecord } from '../../store/peer-file.ts';
import { PeerStore } from '../../store/peer-store.ts';
import { type Finding, warn } from '../../units/finding.ts';
import { formatDuration } from '../../units/time.ts';
import { refuseSharedKeys } from '../fwknop-terms.ts';
import { faultFindings } from './fault-findings.ts';
import { examineKnockPort } from './knock-port.ts';
import { examineClock } from './sequences.ts';

/** Shorter ones are passphrases, as a rule. */
const RANDOM_KEY_LENGTH = 16;

/** Whether clients of fwknop could get in, where there are any, and what they bring with them. */
export async function examineFwknop(config: ServerConfig): Promise<readonly Finding[]> {
  const { listen, enabled, acceptAnySource, maxAgeMs } = config.fwknop;
  const peers = await peersOf(config);
  if (!enabled) return peers.length === 0 ? [] : [isOff(peers)];
  const nobody = warn(
    'fwknop is on, and no peer has keys for it',
    'hknock peer add NAME --fwknop, hknock import fwknop, or enabled = false in [fwknop]',
  );
  const anybody = warn(
    'fwknop accepts packets for any source: whoever sees one and can hold it back sends it on from his own address and is let in himself',
    'accept_any_source = false, and clients that say their address (fwknop -a)',
  );
  return [
    ...(await examineKnockPort({ listen, controlSocket: config.controlSocket })),
    ...(await examineClock("fwknop's packets", formatDuration(maxAgeMs))),
    ...(peers.length === 0 ? [nobody] : examineKeys(peers)),
    ...(acceptAnySource ? [anybody] : []),
  ];
}

type SpaHolder = PeerRecord & { readonly fwknop: FwknopKeys };

/** What is wrong with a peer's file is told where all of them are read. */
async function peersOf({ directory }: ServerConfig): Promise<readonly SpaHolder[]> {
  try {
    const peers = await new PeerStore(directory).list();
    return peers.flatMap((peer) => (peer.fwknop ? [{ ...peer, fwknop: peer.fwknop }] : []));
  } catch (fault) {
    if (fault instanceof HknockError) return [];
    throw fault;
  }
}

function isOff(peers: readonly SpaHolder[]): Finding {
  return warn(
    `fwknop is off, and peers have keys for it: ${namesOf(peers)}`,
    'enabled = true in [fwknop] in hknock.toml',
  );
}

function examineKeys(peers: readonly SpaHolder[]): readonly Finding[] {
  const short = peers.filter(
    ({ fwknop: { key, hmacKey } }) => Math.min(key.length, hmacKey.length) < RANDOM_KEY_LENGTH,
  );
  const guessable = warn(
    `keys of fwknop that are short can be guessed from one packet: ${namesOf(short)}`,
    'give them random ones: hknock peer rotate NAME prints them for the client',
  );
  const findings = short.length === 0 ? [] : [guessable];
  try {
    refuseSharedKeys(peers.map(({ name, fwknop }) => ({ name, keys: fwknop })));
    return findings;
  } catch (fault) {
    return [...findings, ...faultFindings(fault)];
  }
}

function namesOf(peers: readonly SpaHolder[]): string {
  return peers.map(({ name }) => name).join(', ');
}
