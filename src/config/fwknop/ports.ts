import { HknockError } from '../../errors/hknock-error.ts';
import { parseServicePort, type ServicePort } from '../../units/network.ts';
import type { Entry, Tell } from './stanza.ts';

/** Reads `tcp/22, udp/53`; what is no port is told and left out. */
export function readPorts(entry: Entry, tell: Tell): readonly ServicePort[] {
  return entry.value.split(',').flatMap((each) => {
    try {
      return [parseServicePort(each.trim().toLowerCase())];
    } catch (fault) {
      if (!(fault instanceof HknockError)) throw fault;
      tell(entry, fault.message);
      return [];
    }
  });
}
