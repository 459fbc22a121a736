import { initialSequence } from '../admission/initial-sequence.ts';
import { ADDRESS_LENGTH, encodeEndpoint } from '../bytes/address.ts';
import { ascii, concat } from '../bytes/bytes.ts';
import { encodeUint64 } from '../bytes/integer.ts';
import { Mac } from '../crypto/mac.ts';
import { hkdfExtract } from '../crypto/kdf.ts';
import type { ServiceName } from '../units/names.ts';
import type { Endpoint } from '../units/network.ts';
import type { UnixMs } from '../units/time.ts';

/** Length of a time step (silent.md, section 2). */
export const SILENT_STEP_MS = 30_000;

/** How far a client's clock may be from ours, in steps. */
export const SKEW_STEPS = 1;

/** Where a number leads: the endpoint as the client sees it. */
export interface Target {
  readonly service: ServiceName;
  readonly destination: Endpoint;
}

/** Which of a target's numbers. */
export interface Turn {
  readonly step: number;
  /** 0 to 255 */
  readonly slot: number;
}

/** The time step of a moment. */
export function silentStepAt(unixMs: UnixMs): number {
  return Math.floor(unixMs / SILENT_STEP_MS);
}

/** What a peer's numbers are made with (silent.md, section 3): worthless at another responder (P10). */
export function silentKey({
  secret,
  responderId,
}: {
  readonly secret: Uint8Array;
  readonly responderId: Uint8Array;
}): Mac {
  return new Mac(hkdfExtract(concat(ascii('hknock/1 silent'), responderId), secret));
}

/** Makes the secrets of a target, 32 bytes each: from one comes the number, and at the gate the key, as from a session secret. */
export function turnSecrets(
  key: Mac,
  { service, destination }: Target,
): (turn: Turn) => Uint8Array {
  const message = concat(new Uint8Array(TURN_AT + TURN_LENGTH), ascii(service));
  encodeEndpoint(destination, message, 0);
  return ({ step, slot }) => {
    encodeUint64(step, message, TURN_AT);
    message[TURN_AT + TURN_LENGTH - 1] = slot;
    return key.of(message);
  };
}

const TURN_AT = ADDRESS_LENGTH + 2;
const TURN_LENGTH = 8 + 1;

/** The initial sequence number that lets a connection in: 1 to 2^32 - 1. */
export function numberOf(turnSecret: Uint8Array): number {
  return initialSequence(turnSecret);
}
