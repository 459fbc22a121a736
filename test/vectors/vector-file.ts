import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { vectorFiles } from '../../fixtures/vector-schema.ts';
import type { Entropy } from '../../src/host/entropy.ts';

/** The vectors of one file, each checked against the strict schema. */
export function readVectors<N extends keyof typeof vectorFiles>(
  name: N,
): z.infer<(typeof vectorFiles)[N]>['vectors'] {
  const path = new URL(`../../fixtures/vectors/${name}.json`, import.meta.url);
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return vectorFiles[name].parse(content).vectors;
}

export function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** Gives the draws of a vector: nonces are 24 bytes long and cookie secrets 32, so the length tells which is wanted. */
export function drawsFrom(
  nonces: readonly string[],
  cookieSecrets: readonly string[] = [],
): Entropy {
  const queues = new Map([
    [24, [...nonces]],
    [32, [...cookieSecrets]],
  ]);
  return {
    bytes(length) {
      const next = queues.get(length)?.shift();
      if (next === undefined) throw new Error(`the vector has no further ${String(length)} bytes`);
      return bytes(next);
    },
  };
}
