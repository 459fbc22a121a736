import { Worker } from 'node:worker_threads';

/** The program `name` in the folder of a module, built or not. @param module its `import.meta.url` */
export function programBeside(module: string, name: string): URL {
  return new URL(`./${name}${module.endsWith('.ts') ? '.ts' : '.js'}`, module);
}

/** Runs a program of ours in a thread. */
export function startThread(program: URL, workerData: unknown): Worker {
  // only a program that is not built needs the loader that we were started with
  const flags = program.pathname.endsWith('.ts') ? {} : { execArgv: [] };
  return new Worker(program, { workerData, ...flags });
}
