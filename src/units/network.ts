import { HknockError } from '../errors/hknock-error.ts';
import type { Brand } from './brand.ts';

/** A TCP or UDP port, 1 to 65535. */
export type Port = Brand<number, 'Port'>;

/** An IPv4 or IPv6 address in its one canonical text form (RFC 5952), without a zone. Made by `parseAddress`. */
export type IpAddress = Brand<string, 'IpAddress'>;

/** The addresses that share their first bits, written `203.0.113.0/24`. Made by `parsePrefix`. */
export type Prefix = Brand<string, 'Prefix'>;

/** An address and a UDP or TCP port on it; port 0 where the port is not known. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

export type Protocol = 'tcp' | 'udp';

/** One port of a service, as `tcp/22` is written. */
export interface ServicePort {
  readonly protocol: Protocol;
  readonly port: Port;
}

/** Ports from the first to the last, both of them included. */
export interface PortRange {
  readonly first: Port;
  readonly last: Port;
}

/** Most ports that one service may have: as many as a Grant message has room for (wire.md, section 4.4). */
export const MAX_SERVICE_PORTS = 16;

/** Whether a number is a usable port. */
export function isPort(value: number): value is Port {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/**
 * Reads `62202`.
 * @throws {HknockError} `usage` when the text is not a usable port
 */
export function parsePort(text: string): Port {
  const port = Number(/^[1-9]\d{0,4}$/.exec(text)?.[0]);
  if (!isPort(port)) throw new HknockError('usage', `'${text}' is not a port, 1 to 65535`);
  return port;
}

/**
 * Reads `tcp/22`.
 * @throws {HknockError} `usage` when the text is anything else
 */
export function parseServicePort(text: string): ServicePort {
  const match = /^(tcp|udp)\/([1-9]\d{0,4})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || !isPort(port)) {
    throw new HknockError('usage', `'${text}' is not a protocol and port`, {
      hint: "write 'tcp/22' or 'udp/51820', ports 1 to 65535",
    });
  }
  return { protocol: match[1] as Protocol, port };
}

/** Whether a port is among some. */
export function includesPort(
  ports: readonly ServicePort[],
  { protocol, port }: ServicePort,
): boolean {
  return ports.some((each) => each.protocol === protocol && each.port === port);
}

/**
 * Reads `10000-32767`.
 * @throws {HknockError} `usage` when the text is anything else
 */
export function parsePortRange(text: string): PortRange {
  const match = /^([1-9]\d{0,4})-([1-9]\d{0,4})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (isPort(first) && isPort(last) && first <= last) return { first, last };
  throw new HknockError('usage', `'${text}' is not a range of ports`, {
    hint: "write '10000-32767', ports 1 to 65535",
  });
}

/** `10000-32767` */
export function formatPortRange({ first, last }: PortRange): string {
  return `${String(first)}-${String(last)}`;
}

/** `tcp/22` */
export function formatServicePort({ protocol, port }: ServicePort): string {
  return `${protocol}/${String(port)}`;
}

/** `192.0.2.1:62202` or `[2001:db8::1]:62202` */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}
