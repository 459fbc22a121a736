import { gateIdentity, gateKey } from '../../admission/gate/gate-key.ts';
import type { Pass, PassBook } from '../../admission/gate/passes.ts';
import { SILENT_STEP_MS } from '../../silent/numbers.ts';
import { plainDoor } from '../../host/firewall.ts';
import type { GrantId } from '../../units/names.ts';
import type { IpAddress } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import type { LiveNumber } from './live-numbers.ts';

/** What the numbers that lead to the gate prove there: each lets one connection in (silent.md, section 5). */
export class SilentPasses implements PassBook {
  readonly #byIdentity = new Map<string, LiveNumber>();
  readonly #identities = new WeakMap<LiveNumber, string>();

  add(number: LiveNumber): void {
    if (number.way !== 'gate') return;
    const identity = gateIdentity(number.secret);
    this.#identities.set(number, identity);
    this.#byIdentity.set(identity, number);
  }

  remove(number: LiveNumber): void {
    this.#byIdentity.delete(this.#identities.get(number) ?? '');
  }

  clear(): void {
    this.#byIdentity.clear();
  }

  find(identity: string): Pass | null {
    const number = this.#byIdentity.get(identity);
    return number === undefined ? null : passOf(number);
  }

  take(identity: string): Pass | null {
    const pass = this.find(identity);
    this.#byIdentity.delete(identity);
    return pass;
  }
}

function passOf({ offer: { peer, service, ports }, secret }: LiveNumber): Pass {
  const door = { ...plainDoor, gateKey: gateKey(secret) };
  return {
    gateKey: door.gateKey,
    isForAnySource: true,
    opening: {
      // no knock came before it
      grant: 'silent' as GrantId,
      ...{ peer, service, ports, door },
      source: '::' as IpAddress,
      admission: 'gate',
      lifetimeMs: (3 * SILENT_STEP_MS) as DurationMs,
    },
  };
}
