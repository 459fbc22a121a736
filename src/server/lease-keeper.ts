import type { Grants } from '../grants/grants.ts';
import type { Log } from '../host/log.ts';
import { leaseEnd, type LeaseOutcome, type LeaseWish } from '../units/lease.ts';

/** Does what the holders of grants want done with them. */
export function createLeaseKeeper(
  grants: Grants,
  log: Log,
): (wish: LeaseWish) => Promise<LeaseOutcome> {
  return async ({ operation, grant, peer, isLast }) => {
    try {
      if (operation === 'renew') return await grants.renew(grant);
      // another knock of the peer was granted the same one, and may still need it
      if (!isLast) return leaseEnd('done');
      return leaseEnd((await grants.release(grant)) ? 'done' : 'over');
    } catch (fault) {
      log.error('lease failed', { grant, peer, fault: String(fault) });
      return leaseEnd('failed');
    }
  };
}
