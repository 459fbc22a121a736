import { loadServerConfig, type Overrides } from '../config/load.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Log } from '../host/log.ts';
import { createSystemClock } from '../system/clock.ts';
import { createSystemEntropy } from '../system/entropy.ts';
import { createSystemLoad } from '../system/load.ts';
import { serveControl } from './control.ts';
import { createFirewall } from './firewall.ts';
import { createLog } from './log.ts';
import { knownModes } from './modes.ts';
import { Server } from './server.ts';

/** How long a line of the log may wait. */
const WRITE_AFTER_MS = 10;

/** A server that runs on this machine until it is stopped. */
export interface RunningServer {
  /** Reads the folder again; what is wrong with it is logged, and all but revocations stays as it was. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs a server from its folder with the system's clock, entropy and firewall; it logs to standard error and can be controlled over its socket.
 * @throws {HknockError} `config`, `bind` or `host`; nothing is left changed then
 */
export async function runServer(
  directory: string,
  overrides: Overrides = {},
): Promise<RunningServer> {
  const clock = createSystemClock();
  const { controlSocket, logLevel } = await loadServerConfig(directory, overrides);
  const write = afterwards((lines) => process.stderr.write(lines));
  const log = createLog({ clock, level: logLevel, write });
  let begin: (server: Server) => void = () => undefined;
  const begun = new Promise<Server>((resolve) => (begin = resolve));
  // before the firewall: a second server would take the table from the first, and one that cannot have its socket
  // would leave services shut
  const closeControl = await serveControl(controlSocket, begun);
  const server = await Server.start({
    directory,
    overrides,
    createFirewall: ({ config }) => createFirewall(config, { clock, log }),
    modes: knownModes,
    load: createSystemLoad(),
    clock,
    entropy: createSystemEntropy(),
    log,
  }).catch(async (fault: unknown) => {
    await closeControl();
    throw fault;
  });
  begin(server);
  const { listen, firewall, peers, services } = server.status();
  log.info('serving', { listen: listen.join(','), firewall, peers, services });
  return {
    reload: () => reload(server, log),
    async stop() {
      await closeControl();
      await server.stop();
    },
  };
}

async function reload(server: Server, log: Log): Promise<void> {
  try {
    await server.reload();
  } catch (fault) {
    const message = fault instanceof HknockError ? fault.message : String(fault);
    log.error('reload failed, only revocations count', { fault: message });
  }
}

/** Puts off making and writing lines: an answer must wait neither for them nor for a processor on which somebody reads them. */
function afterwards(write: (lines: string) => void): (line: () => string) => void {
  let waiting: (() => string)[] = [];
  const flush = (): void => {
    const lines = waiting.map((line) => line());
    waiting = [];
    if (lines.length > 0) write(lines.join(''));
  };
  process.once('exit', flush);
  return (line) => {
    if (waiting.length === 0) setTimeout(flush, WRITE_AFTER_MS);
    waiting.push(line);
  };
}
