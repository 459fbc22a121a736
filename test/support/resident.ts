import type { Hand } from '../../src/lab/hand.ts';
import type * as orders from '../../src/lab/orders.ts';
import { inline } from './inline.ts';
import type { Finished } from './netns.ts';

/** Where somebody connects who just tries. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Source address; the system's choice if not said. */
  readonly from?: string;
}

export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type Resident = Hand<ResidentOrders>;

/** What the resident of a machine can be told. */
export interface ResidentOrders extends orders.Orders {
  /** Runs `hknock ARGS` with some of the environment, one after the other. */
  readonly hknock: (command: Command) => Promise<Finished>;
  /** Connects, and gives the first line of text, or why there is none. */
  readonly visit: (target: Target) => Promise<string>;
}

/**
 * A program that stays in a machine's place and does there what to start a program for each time would take long: nine tenths of
 * what a short command costs are Node's start and the loading of modules.
 */
export const resident = inline(reside, new URL('../../dist/', import.meta.url).href);

async function reside(built: string): Promise<void> {
  const { takeOrders } = (await import(`${built}lab/orders.js`)) as typeof orders;
  const { connect } = await import('node:net');
  const { fileURLToPath } = await import('node:url');
  const commandLine = `${built}cli/main.js`;
  process.execArgv = []; // not for the programs that commands start, nor for commander, which counts words by them
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    process[stream].write = (text: string | Uint8Array) => {
      said[stream] += String(text);
      return true;
    };
  }

  let runs = 0;
  const hknock = async ({ args, env }: Command): Promise<Finished> => {
    Object.assign(process.env, env);
    Object.assign(said, { stdout: '', stderr: '' });
    process.argv = [process.execPath, fileURLToPath(commandLine), ...args];
    process.exitCode = 0;
    // a module with another address is another module, so it is run again; all that it imports is there already
    await import(`${commandLine}?${String(++runs)}`);
    for (const each of [process, process.stdout, process.stderr]) {
      each.removeAllListeners('uncaughtException').removeAllListeners('error');
    }
    return { ...said, code: process.exitCode };
  };
  let last: Promise<unknown> = Promise.resolve();

  /** How long a visitor waits. A SYN that was let through would be answered in a hundredth of it. */
  const PATIENT_MS = 700;
  /** And who is connected: the service may be held up. */
  const GREETED_MS = 2000;
  const visit = ({ address, port, from }: Target): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port, ...(from && { localAddress: from }) });
      const end = (seen: string): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(seen);
      };
      // after a pause of ours an answer may be there, and be read after the timers have had their turn
      const giveUp = (whileConnecting: boolean): void =>
        void setImmediate(() => {
          if (socket.connecting === whileConnecting) end('no answer');
        });
      let timer = setTimeout(giveUp, PATIENT_MS, true);
      socket
        .once('connect', () => {
          clearTimeout(timer);
          timer = setTimeout(giveUp, GREETED_MS, false);
        })
        .once('data', (text) => {
          end(String(text).split('\n', 1)[0] ?? '');
        })
        .once('end', () => {
          end('connection closed without a word');
        })
        .on('error', (error: NodeJS.ErrnoException) => {
          end(error.code === 'ECONNREFUSED' ? 'connection refused' : `no (${String(error.code)})`);
        });
    });

  takeOrders({
    hknock: (command: Command) => (last = last.then(() => hknock(command))),
    visit,
  });
}
