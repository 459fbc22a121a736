import { performance } from 'node:perf_hooks';
import type { Load } from '../host/load.ts';

/** How much of its time this thread's event loop had work. */
export function createSystemLoad(): Load {
  let last = performance.eventLoopUtilization();
  return {
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
  };
}
