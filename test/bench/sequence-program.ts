// Knocks by a sequence for each profile, with a pause before each; prints as JSON the milliseconds until the service could be
// connected to, -1 where it could not.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSequence, sequenceNow } from '../../src/client/sequence.ts';
import { readProfileFile } from '../../src/store/profile-file.ts';

/** How often it is tried: a SYN that was dropped would be sent again after a second only. */
const TRY_EVERY_MS = 1;
const PATIENCE_MS = 1000;

const [port = '', pauseMs = '', ...files] = process.argv.slice(2);
const times: number[] = [];

for (const file of files) {
  const profile = await readProfileFile(file);
  const sequence = await sequenceNow(profile);
  await sleep(Number(pauseMs));
  // from before the first knock: they all leave in one turn
  const startedAt = performance.now();
  const sent = sendSequence(sequence);
  times.push((await isOpen(sequence.address)) ? performance.now() - startedAt : -1);
  await sent;
}
process.stdout.write(JSON.stringify(times));

async function isOpen(host: string): Promise<boolean> {
  const tries: Socket[] = [];
  try {
    return await new Promise((resolve) => {
      const again = setInterval(() => {
        const socket = connect({ host, port: Number(port) });
        socket
          .on('error', () => undefined)
          .once('connect', () => {
            clearInterval(again);
            resolve(true);
          });
        tries.push(socket);
        if (tries.length * TRY_EVERY_MS < PATIENCE_MS) return;
        clearInterval(again);
        resolve(false);
      }, TRY_EVERY_MS);
    });
  } finally {
    for (const each of tries) each.destroy();
  }
}
