import { TOTP_SECRET_LENGTH } from '../bytes/key-lengths.ts';
import {
  formatSequenceShape,
  parseSequenceShape,
  type SequenceShape,
} from '../units/sequence-shape.ts';
import { formatKey, parseKey } from './key-text.ts';

/** What a client needs to knock by sequences. */
export interface SequenceKey {
  readonly shape: SequenceShape;
  /** 32 bytes */
  readonly secret: Uint8Array;
}

/** `tcp:20000-32767:6:` and the secret. */
export function formatSequenceKey({ shape, secret }: SequenceKey): string {
  return `${formatSequenceShape(shape)}:${formatKey(secret)}`;
}

/** Reads what {@link formatSequenceKey} wrote; null for anything else. */
export function parseSequenceKey(text: string): SequenceKey | null {
  const at = text.lastIndexOf(':');
  if (at < 0) return null;
  const shape = parseSequenceShape(text.slice(0, at));
  const secret = parseKey(text.slice(at + 1), TOTP_SECRET_LENGTH);
  return shape === null || secret === null ? null : { shape, secret };
}
