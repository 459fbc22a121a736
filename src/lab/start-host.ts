import { programBeside } from '../server/start-thread.ts';
import { Hand } from './hand.ts';
import type { HostOrders } from './host-program.ts';
import type { Namespace } from './netns.ts';
import type { Host } from './scheme.ts';

/** Has somebody at a place who does what a host of the laboratory can be told to do. */
export function startHost(place: Namespace): Promise<Host> {
  return Hand.start<HostOrders>(place, { program: programBeside(import.meta.url, 'host-program') });
}
