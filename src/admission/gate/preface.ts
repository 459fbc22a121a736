import { decodeUint16, encodeUint16 } from '../../bytes/integer.ts';
import { isPort, type ServicePort } from '../../units/network.ts';

/** What the client says first: to which port of its grant (gate.md, section 4.1). */
export const PREFACE_LENGTH = 3;

const protocols = ['tcp', 'udp'] as const;

/** 3 bytes, as a port of the Grant message: protocol, then port. */
export function encodePreface({ protocol, port }: ServicePort): Uint8Array {
  const preface = new Uint8Array(PREFACE_LENGTH);
  preface[0] = protocols.indexOf(protocol) + 1;
  encodeUint16(port, preface, 1);
  return preface;
}

/** Null when the bytes are none. */
export function decodePreface(preface: Uint8Array): ServicePort | null {
  const protocol = protocols[(preface[0] ?? 0) - 1];
  const port = decodeUint16(preface, 1);
  if (preface.length !== PREFACE_LENGTH || protocol === undefined || !isPort(port)) return null;
  return { protocol, port };
}
