import type { Firewall } from '../host/firewall.ts';
import { admissions } from '../units/admission.ts';

/** A firewall that changes nothing and grants everything: to try out knocking itself. */
export function createNoFirewall(): Firewall {
  return {
    admissions: admissions.slice(0, 2),
    prefixes: true,
    start: () => Promise.resolve(),
    protect: () => Promise.resolve(),
    apply: () => Promise.resolve(new Map()),
    stop: () => Promise.resolve(),
  };
}
