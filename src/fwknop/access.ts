import { familyOf, parseAddress } from '../bytes/address.ts';
import {
  type Endpoint,
  formatServicePort,
  type IpAddress,
  isPort,
  MAX_SERVICE_PORTS,
  type Port,
  type Protocol,
  type ServicePort,
} from '../units/network.ts';

/** Who wants what opened: the text of an access message. */
export interface AccessRequest {
  /** Null for `0.0.0.0`: wherever the packet comes from. */
  readonly source: IpAddress | null;
  /** 1 to 16. */
  readonly ports: readonly ServicePort[];
}

const ANY_SOURCE = '0.0.0.0';

/** `192.0.2.1,tcp/22,udp/53` */
export function encodeAccess({ source, ports }: AccessRequest): string {
  return [source ?? ANY_SOURCE, ...ports.map(formatServicePort)].join(',');
}

/** Reads what {@link encodeAccess} wrote; null for anything else. */
export function decodeAccess(text: string): AccessRequest | null {
  const [first = '', ...rest] = text.split(',');
  const source = decodeSource(first);
  const ports = rest.map(decodePort).filter((port) => port !== null);
  if (source === null || ports.length !== rest.length) return null;
  if (ports.length === 0 || ports.length > MAX_SERVICE_PORTS) return null;
  return { source: source === ANY_SOURCE ? null : source, ports };
}

/** Reads what a command is run for, `192.0.2.1,restart-web`; null when it names no address. */
export function decodeCommand(
  text: string,
): { readonly source: IpAddress | null; readonly name: string } | null {
  const comma = text.indexOf(',');
  const source = decodeSource(text.slice(0, Math.max(0, comma)));
  if (source === null) return null;
  return { source: source === ANY_SOURCE ? null : source, name: text.slice(comma + 1) };
}

/** Reads where a NAT access leads, `192.0.2.9,22`; null for anything else, names of hosts too. */
export function decodeNatAccess(text: string): (Endpoint & { readonly port: Port }) | null {
  const [host = '', digits = '', ...rest] = text.split(',');
  const address = decodeSource(host);
  const port = /^[1-9]\d{0,4}$/.test(digits) ? Number(digits) : 0;
  return address !== null && isPort(port) && rest.length === 0 ? { address, port } : null;
}

function decodeSource(text: string): IpAddress | null {
  const address = parseAddress(text);
  return address === text && familyOf(address) === 4 ? address : null;
}

function decodePort(text: string): ServicePort | null {
  const match = /^(tcp|udp)\/([1-9]\d{0,4})$/.exec(text);
  const port = Number(match?.[2]);
  return match !== null && isPort(port) ? { protocol: match[1] as Protocol, port } : null;
}
