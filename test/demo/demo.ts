// `npm run demo`: a client behind a NAT gets into a server that shows no open port. Every step checks what it shows.
// `npm run demo -- --loopback`: the same without privileges, as it plays by itself where there are none.
import { tell } from './narrator.ts';
import { connect, enrol, knockAndVisit, letExpire, scan, setUpServer } from './scenes.ts';
import { type Stage, buildStage } from './stage.ts';

let stage: Stage | null = null;
const interruption = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interruption.abort();
    void clearAway().finally(() => process.exit(130));
  });
}

try {
  await play();
} catch (error) {
  // a step whose stage is cleared away under it has nothing to tell
  if (!interruption.signal.aborted) {
    tell('', `The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} finally {
  await clearAway();
}

async function play(): Promise<void> {
  const startedAt = performance.now();
  stage = await buildStage({ loopback: process.argv.includes('--loopback') });
  tell(...stage.picture);
  await setUpServer(stage);
  await enrol(stage);
  await scan(stage);
  await knockAndVisit(stage);
  await connect(stage);
  await letExpire(stage);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  tell('', `All of it was seen to be so, in ${seconds} s.`);
}

async function clearAway(): Promise<void> {
  await stage?.remove();
}
