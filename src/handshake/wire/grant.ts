import { decodeEndpoint, encodeEndpoint, ENDPOINT_LENGTH } from '../../bytes/address.ts';
import { concat, isZero, toHex } from '../../bytes/bytes.ts';
import { decodeUint16, decodeUint32, encodeUint16, encodeUint32 } from '../../bytes/integer.ts';
import { NONCE_LENGTH, open, seal } from '../../crypto/aead.ts';
import { refusalReasons } from '../../errors/refusal-reason.ts';
import { hasOwnPort } from '../../units/admission.ts';
import type { Granted, Outcome, Refused } from '../../units/knock.ts';
import type { GrantId } from '../../units/names.ts';
import { type Endpoint, isPort, MAX_SERVICE_PORTS, type ServicePort } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import type { HandshakeKeys } from '../keys.ts';
import {
  decodeAdmission,
  decodeAdmissionSet,
  encodeAdmission,
  encodeAdmissionSet,
} from './admission.ts';
import { decodeBreadth, encodeBreadth } from './breadth.ts';

/**
 * Grant, responder to initiator (wire.md, section 4.4). Shorter than the Response it answers (P3).
 *
 *     0   24  nonce
 *    24  102  seal(K_grant, nonce, T, body)
 *
 *    body   0   1  status: 0 granted, 1 refused
 *           1   1  reason of a refusal
 *           2   1  admission granted
 *           3   1  admissions that would be accepted, one bit each
 *           4   4  lifetime, ms
 *           8   8  grant id
 *          16  18  observed endpoint
 *          34   2  admission port, zero unless the admission has one
 *          36   1  port count
 *          37   1  breadth
 *          38  48  ports, 3 bytes each, then zero
 */
export const GRANT_LENGTH = 126;

const BODY_LENGTH = 86;
const GRANT_ID_AT = 8;
const OBSERVED_AT = 16;
const ADMISSION_PORT_AT = OBSERVED_AT + ENDPOINT_LENGTH;
const COUNT_AT = ADMISSION_PORT_AT + 2;
const BREADTH_AT = COUNT_AT + 1;
const PORTS_AT = BREADTH_AT + 1;
const PORT_ENTRY_LENGTH = 3;

const GRANTED = 0;
const REFUSED = 1;
const protocols = ['tcp', 'udp'] as const;

/** What a Grant tells. */
export interface GrantBody {
  readonly outcome: Outcome;
  /** Where the Response came from. */
  readonly observed: Endpoint;
}

/** The whole datagram, 126 bytes, bound to one handshake by its transcript. */
export function encodeGrant(
  keys: Pick<HandshakeKeys, 'grant'>,
  { nonce, transcript }: { readonly nonce: Uint8Array; readonly transcript: Uint8Array },
  { outcome, observed }: GrantBody,
): Uint8Array {
  const body = new Uint8Array(BODY_LENGTH);
  if (outcome.kind === 'granted') encodeGranted(outcome, body);
  else encodeRefused(outcome, body);
  encodeEndpoint(observed, body, OBSERVED_AT);
  return concat(nonce, seal({ key: keys.grant, nonce, ad: transcript }, body));
}

/** Opens the Grant of the handshake with this transcript; null when the datagram is anything else. */
export function decodeGrant(
  keys: Pick<HandshakeKeys, 'grant'>,
  transcript: Uint8Array,
  datagram: Uint8Array,
): GrantBody | null {
  if (datagram.length !== GRANT_LENGTH) return null;
  const nonce = datagram.subarray(0, NONCE_LENGTH);
  const sealed = datagram.subarray(NONCE_LENGTH);
  const body = open({ key: keys.grant, nonce, ad: transcript }, sealed);
  if (body === null) return null;
  const outcome = body[0] === GRANTED ? decodeGranted(body) : decodeRefused(body);
  return outcome === null ? null : { outcome, observed: decodeEndpoint(body, OBSERVED_AT) };
}

function encodeGranted(granted: Granted, into: Uint8Array): void {
  const { admission, lifetimeMs, grant, ports, admissionPort, breadth } = granted;
  into[2] = encodeAdmission(admission);
  encodeUint16(admissionPort ?? 0, into, ADMISSION_PORT_AT);
  encodeUint32(lifetimeMs, into, 4);
  into.set(Buffer.from(grant, 'hex'), GRANT_ID_AT);
  into[COUNT_AT] = ports.length;
  into[BREADTH_AT] = encodeBreadth(breadth);
  ports.forEach(({ protocol, port }, index) => {
    const at = PORTS_AT + index * PORT_ENTRY_LENGTH;
    into[at] = protocols.indexOf(protocol) + 1;
    encodeUint16(port, into, at + 1);
  });
}

function encodeRefused({ reason, acceptable }: Refused, into: Uint8Array): void {
  into[0] = REFUSED;
  into[1] = refusalReasons.indexOf(reason) + 1;
  into[3] = encodeAdmissionSet(acceptable);
}

function decodeGranted(body: Uint8Array): Granted | null {
  const admission = decodeAdmission(body[2]);
  const lifetimeMs = decodeUint32(body, 4) as DurationMs;
  const ports = decodePorts(body);
  const breadth = decodeBreadth(body[BREADTH_AT]);
  if (body[1] !== 0 || body[3] !== 0 || breadth === null) return null;
  if (!admission || lifetimeMs === 0 || ports === null || ports.length === 0) return null;
  const port = decodeUint16(body, ADMISSION_PORT_AT);
  const admissionPort = isPort(port) ? port : null;
  if (hasOwnPort(admission) !== (admissionPort !== null)) return null;
  const grant = toHex(body.subarray(GRANT_ID_AT, OBSERVED_AT)) as GrantId;
  return { kind: 'granted', grant, admission, lifetimeMs, admissionPort, ports, ...breadth };
}

function decodeRefused(body: Uint8Array): Refused | null {
  const reason = refusalReasons[(body[1] ?? 0) - 1];
  const acceptable = decodeAdmissionSet(body[3] ?? 0);
  if (body[0] !== REFUSED || reason === undefined || acceptable === null) return null;
  if (body[2] !== 0 || !isZero(body, 4, OBSERVED_AT)) return null;
  if (!isZero(body, ADMISSION_PORT_AT)) return null;
  if (reason !== 'admission-refused' && acceptable.length > 0) return null;
  return { kind: 'refused', reason, acceptable };
}

function decodePorts(body: Uint8Array): readonly ServicePort[] | null {
  const count = body[COUNT_AT] ?? 0;
  const end = PORTS_AT + count * PORT_ENTRY_LENGTH;
  if (count > MAX_SERVICE_PORTS || !isZero(body, end)) return null;
  const ports: ServicePort[] = [];
  for (let at = PORTS_AT; at < end; at += PORT_ENTRY_LENGTH) {
    const protocol = protocols[(body[at] ?? 0) - 1];
    const port = decodeUint16(body, at + 1);
    if (protocol === undefined || !isPort(port)) return null;
    ports.push({ protocol, port });
  }
  return ports;
}
