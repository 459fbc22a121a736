import { parseAddress } from '../bytes/address.ts';
import { HknockError } from '../errors/hknock-error.ts';
import { type Endpoint, isPort } from '../units/network.ts';

/**
 * Reads `192.0.2.1:62202` or `[2001:db8::1]:62202`.
 * @throws {HknockError} `usage` when the text is anything else
 */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([1-9]\d{0,4})$/.exec(text);
  const address = parseAddress(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  if (address === null || !isPort(port)) {
    throw new HknockError('usage', `'${text}' is not an address and port`, {
      hint: "write '0.0.0.0:62202' or '[::]:62202'",
    });
  }
  return { address, port };
}
