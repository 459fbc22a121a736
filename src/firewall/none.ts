import type { Firewall } from '../host/firewall.ts';

/** Changes nothing and agrees to everything: for trying out the protocol, never for protecting anything. */
export function createNoFirewall(): Firewall {
  return {
    admissions: ['address', 'once'],
    start: () => Promise.resolve(),
    protect: () => Promise.resolve(),
    apply: () => Promise.resolve(new Map()),
    stop: () => Promise.resolve(),
  };
}
