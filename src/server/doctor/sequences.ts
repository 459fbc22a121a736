import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import type { ServerConfig } from '../../config/server-config.ts';
import { HknockError } from '../../errors/hknock-error.ts';
import { systemCode } from '../../errors/system-code.ts';
import { runOnce } from '../../firewall/nftables/once.ts';
import { loadLibc } from '../../system/libc.ts';
import { fail, type Finding, ok, warn } from '../../units/finding.ts';
import { isRunning } from './knock-port.ts';

/** Whether knocks by sequences can be heard, where the configuration wants them. */
export async function examineSequences(config: ServerConfig): Promise<readonly Finding[]> {
  const { hasTotp, files, source, log } = config.sequence;
  if (!hasTotp && files.length === 0) return [];
  const heard =
    source === 'log'
      ? [await examineLogFile(log.file)]
      : [await examineCapture(), ...(await examineGroup(config))];
  return hasTotp ? [...heard, ...(await examineClock('sequences'))] : heard;
}

async function examineLogFile(file: string): Promise<Finding> {
  const fault = await access(file, constants.R_OK).then(
    () => null,
    (cause: unknown) => systemCode(cause) ?? 'unknown',
  );
  return fault === null
    ? ok(`the firewall's log ${file} can be read`)
    : fail(
        `the firewall's log ${file} cannot be read (${fault})`,
        'set log_file in [sequence] to the file that your firewall logs to',
      );
}

async function examineCapture(): Promise<Finding> {
  const { cause } = await runOnce('tcpdump', ['--version']);
  return cause === null
    ? ok('tcpdump is there to listen to knocks by sequences')
    : fail(
        'there is no tcpdump program, which hears knocks by sequences',
        'apt-get install tcpdump',
      );
}

/** One program at a time may listen to a log group; the kernel says which have a listener. */
async function examineGroup({
  sequence,
  controlSocket,
}: ServerConfig): Promise<readonly Finding[]> {
  const group = String(sequence.group);
  const text = await readFile('/proc/net/netfilter/nfnetlink_log', 'latin1').catch(() => null);
  if (text === null) return []; // without privilege, or before the kernel has loaded the module
  const [, listener] =
    text
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([each]) => each === group) ?? [];
  if (listener === undefined) return [ok(`nobody else listens to log group ${group}`)];
  if (await isRunning(controlSocket)) return [ok(`the server listens to log group ${group}`)];
  return [
    warn(
      `log group ${group} has a listener already (process ${listener})`,
      'end it, or set another group in [sequence]',
    ),
  ];
}

/** TIME_ERROR of adjtimex(2) */
const UNSYNCHRONIZED = 5;

/** struct timex has 208 bytes with 64 bits; a mode of 0 only asks. */
const TIMEX_LENGTH = 256;

/**
 * @param what of ours needs it, in the plural
 * @param slack how far the clock may be off
 */
export async function examineClock(what: string, slack = '30 s'): Promise<readonly Finding[]> {
  try {
    const { adjtimex } = await loadLibc();
    if (adjtimex(new Uint8Array(TIMEX_LENGTH)) !== UNSYNCHRONIZED) {
      return [ok(`the clock is kept right (${what} need it)`)];
    }
  } catch (fault) {
    if (fault instanceof HknockError) return [];
    throw fault;
  }
  const none = `nothing keeps the clock right; when it is off by more than ${slack}, ${what} open nothing`;
  return [warn(none, 'run an NTP client, such as systemd-timesyncd or chrony')];
}
