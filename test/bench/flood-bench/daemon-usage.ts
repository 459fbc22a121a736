import { readFileSync } from 'node:fs';

/** The clock in which Linux counts processor time, on all architectures that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a daemon has used, with the processes that it started. */
export interface DaemonUsage {
  readonly cpuSeconds: number;
  /** Bytes */
  readonly resident: number;
}

/** Looks at a process and its children, as the kernel counts them. */
export function usageOf(pid: number): DaemonUsage {
  const children = childrenOf(pid).map(usageOf);
  return [own(pid), ...children].reduce((sum, each) => ({
    cpuSeconds: sum.cpuSeconds + each.cpuSeconds,
    resident: sum.resident + each.resident,
  }));
}

function own(pid: number): DaemonUsage {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
  // what follows the name, which may have spaces: field 3 of proc_pid_stat(5) comes first
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // its own, and that of the programs it ran which have ended: it may run one at the first look and not at the second
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
  const kilobytes = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, resident: kilobytes * 1024 };
}

function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'latin1');
  return children.split(' ').filter(Boolean).map(Number);
}
