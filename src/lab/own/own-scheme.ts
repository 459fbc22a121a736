import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitsConfig } from '../../config/server-config.ts';
import { attackers, type AttackerName, type Expectation } from '../model.ts';
import type { Defence, Scheme } from '../scheme.ts';
import { clientOf } from './client.ts';
import { Copy } from './copy.ts';
import { guessingFor } from './guessing.ts';
import type { OwnConfig } from './own-folder.ts';
import { innerPort } from './stand-ins.ts';
import type { Way } from './ways.ts';
import { wayTitle } from './words.ts';

/** A client need not wait for its turn where the limits let it knock so often. */
const MANY = 40;

/** A race wants several trials; where clients cannot knock often, as by steps of time, there is one. */
const TRIALS = 3;
const TRIALS_OF_RACE = 8;

/** A way into a configuration as a scheme for the attackers. Nothing is expected of it: what is seen is told. */
export function ownScheme(own: OwnConfig, way: Way, name: string): Scheme {
  const { sknock, limits, firewall } = own.config;
  const seen = attackers.map((attacker) => [
    attacker.name,
    { outcome: 'any', trials: trialsOf(way, attacker.name) },
  ]);
  return {
    name,
    title: `${way.service}: ${wayTitle(way)}`,
    programs: [
      ...(way.mode === 'totp' || way.scheme !== null ? ['tcpdump'] : []),
      ...(firewall.backend === 'iptables' ? ['iptables-restore', 'ipset'] : []),
    ],
    servicePort: innerPort(own.config, way),
    behindNat: way.mode !== 'sknock' || sknock?.checkAddress === false,
    expected: Object.fromEntries(seen) as Record<AttackerName, Expectation>,
    deploy: async (world) => {
      const copy = await Copy.make(own, way, world);
      const guessing = await guessingFor(own, copy, world);
      return paced({ ...clientOf(copy, world), guessing }, limits);
    },
  };
}

function trialsOf({ mode, admission }: Way, attacker: AttackerName): number {
  if (attacker !== 'nat') return 1;
  if (mode === 'handshake' || mode === 'certificate') {
    return admission === 'once' ? TRIALS_OF_RACE : TRIALS;
  }
  return mode === 'fwknop' || mode === 'sknock' ? TRIALS : 1;
}

/**
 * A client that knocks when the operator's limits let it, where they would else stop it before any attacker did: when it may knock again,
 * and as if the time of its earlier grants were over.
 */
function paced(defence: Defence, { peerKnocks, sourceKnocks, ...grants }: LimitsConfig): Defence {
  const tight = [peerKnocks, sourceKnocks].filter(({ burst }) => burst < MANY);
  const pauseMs = Math.max(0, ...tight.map(({ perSecond }) => 1000 / perSecond));
  const mayHaveFew = Math.min(grants.grantsPerPeer, grants.grantsPerSource, grants.grants) < MANY;
  const wait = async (): Promise<void> => {
    if (mayHaveFew) await defence.endGrants();
    if (pauseMs > 0) await sleep(pauseMs);
  };
  return {
    ...defence,
    knock: async () => {
      await wait();
      await defence.knock();
    },
    enter: async (withinMs) => {
      await wait();
      return defence.enter(withinMs);
    },
  };
}
