import type { ServicePort } from './network.ts';

/**
 * How narrowly a grant lets a connection in, widest first (theory.md, "Admissions").
 * The place in this list is the number on the wire, counted from 1; 0 there means "as the policy says".
 */
export const admissions = ['address', 'once', 'port', 'bound', 'gate'] as const;

export type Admission = (typeof admissions)[number];

/** A grant that is for more than the observed address is for its prefix (theory.md, section 3). */
export type Breadth = 'prefix';

/** Whether `offered` lets in no more connections than `required` would. */
export function isAtLeastAsNarrow(offered: Admission, required: Admission): boolean {
  return admissions.indexOf(offered) >= admissions.indexOf(required);
}

/** Whether nothing but its source tells a connection from others: then it needs no answer to be made, and the source can be a prefix. */
export function goesBySource(admission: Admission): boolean {
  return admission === 'address' || admission === 'once';
}

/** Whether the connection goes to a port of its own, which the Grant tells (wire.md, section 4.4). */
export function hasOwnPort(admission: Admission): boolean {
  return admission === 'port' || admission === 'gate';
}

/** Whether a grant can be made to last longer: one for a single connection may be used up, and would be another then. */
export function isRenewable(admission: Admission): boolean {
  return admission === 'address';
}

/** Whether a grant lets in one connection, and is of no more use when that has begun. The gate keeps count of its own. */
export function isForOneConnection(admission: Admission): boolean {
  return admission === 'once' || admission === 'port' || admission === 'bound';
}

/** Whether a grant can be for these ports: a secret port or number leads to one. */
export function fitsPorts(admission: Admission, ports: readonly ServicePort[]): boolean {
  switch (admission) {
    case 'port':
      return ports.length === 1;
    case 'bound':
      return ports.length === 1 && ports.some(({ protocol }) => protocol === 'tcp');
    default:
      return true;
  }
}
