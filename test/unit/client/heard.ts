import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** All that comes until the end. Unlike `for await`, it leaves the other direction of a connection open. */
export async function heard(from: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  from.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(from, 'end');
  return Buffer.concat(chunks);
}
