import type { ServerConfig } from '../../config/server-config.ts';
import { type Admission, isAtLeastAsNarrow } from '../../units/admission.ts';
import type { Capability } from '../model.ts';
import type { Setting } from './settings.ts';
import type { WayGroup } from './ways.ts';

/** Settings that may stop an attacker, to be tried; most often one. */
export type Remedy = readonly Setting[];

/**
 * From what costs an operator's clients least to what costs them most: nothing; another port for the connection; hknock in its way; a
 * system that lets them choose a number.
 */
const byCost: readonly Admission[] = ['once', 'port', 'gate', 'bound'];

/** The gate of a configuration that has none: where the template has it. */
const GATE: Setting = { path: ['gate', 'listen'], value: ['0.0.0.0:62203', '[::]:62203'] };

const FIREWALL: Setting = { path: ['firewall', 'backend'], value: 'nftables' };

/** What may stop an attacker who came in by a way, in the order in which it is tried. */
export function remediesFor(
  group: WayGroup,
  config: ServerConfig,
  can: readonly Capability[],
): readonly Remedy[] {
  const { admission } = group.attacked;
  const narrower = byCost.filter(
    (each) =>
      each !== admission &&
      isAtLeastAsNarrow(each, admission) &&
      // a race that was lost by chance would be told as a remedy
      !(each === 'once' && can.includes('neighbour')),
  );
  const hasGate = config.gate.listen.length > 0;
  const single = narrower.filter((each) => each !== 'gate' || hasGate);
  const needsGate = narrower.includes('gate') && !hasGate;
  const ofGrants = [
    ...single.map((each) => admissionOf(group, config, each)),
    ...(needsGate ? [[GATE, ...admissionOf(group, config, 'gate')]] : []),
  ];
  // without a firewall no grant is narrow
  const isOpen = config.firewall.backend === 'none';
  return [
    ...(isOpen ? [[FIREWALL]] : []),
    ...remediesOfMode(group, config, can).map((setting) => [setting]),
    ...ofGrants.map((settings) => (isOpen ? [FIREWALL, ...settings] : settings)),
  ];
}

/** What has to do with how clients knock, and not with how narrow their grants are. */
function remediesOfMode(
  { attacked: { mode } }: WayGroup,
  { firewall, fwknop, sknock, certificates }: ServerConfig,
  can: readonly Capability[],
): readonly Setting[] {
  const isCertified = mode === 'certificate' || mode === 'sknock';
  const hasList = certificates?.crl !== null;
  const takesAny = mode === 'fwknop' && fwknop.acceptAnySource;
  const isUnchecked = mode === 'sknock' && sknock?.checkAddress === false;
  const isForever = isCertified && !hasList && can.includes('former-client');
  return [
    ...when(!firewall.shield && can.includes('spoof'), ['firewall', 'shield'], true),
    ...when(takesAny, ['fwknop', 'accept_any_source'], false),
    ...when(isUnchecked, ['sknock', 'check_address'], true),
    ...when(isForever, ['certificates', 'crl'], 'ca/crl.pem'),
  ];
}

function when(isSo: boolean, path: Setting['path'], value: Setting['value']): readonly Setting[] {
  return isSo ? [{ path, value }] : [];
}

/** Where it is said for these services, and no others: once in the policy when it is they who go by that. */
function admissionOf({ ways }: WayGroup, { services }: ServerConfig, value: Admission): Remedy {
  const names = [...new Set(ways.map(({ service }) => service))];
  const heirs = [...services.values()].filter(({ admission }) => admission === null);
  const isTheirs = names.length === heirs.length && heirs.every(({ name }) => names.includes(name));
  if (isTheirs) return [{ path: ['policy', 'admission'], value }];
  return names.map((name) => ({ path: ['services', name, 'admission'], value }));
}
