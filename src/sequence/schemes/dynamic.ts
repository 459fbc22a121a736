import { HknockError } from '../../errors/hknock-error.ts';
import { isPort, type Port, type Protocol } from '../../units/network.ts';
import type { DurationMs } from '../../units/time.ts';
import { type Call, type Hit, lastKnocks, type Scheme, type Verdict } from '../scheme.ts';
import type { SchemeContext } from '../scheme-context.ts';
import type { Heard } from '../tracker.ts';

/** Ports that stand for the digits 0 to 9. */
export const DIGIT_PORTS = 10;

export interface DynamicSettings {
  /** Of the knocks. */
  readonly protocol: Protocol;
  /** Ten ports, for the digits in order. */
  readonly first: Port;
  readonly last: Port;
  /** Digits before and behind the payload. */
  readonly header: readonly number[];
  readonly footer: readonly number[];
  /** Digits of the port that is asked for: 4 or 5. */
  readonly digits: number;
  readonly lifetimeMs: DurationMs | null;
}

/**
 * Dynamic mapping (M. Krzywinski, "Port Knocking", Linux Journal, 2003, second example): ten ports are the digits of the port that is
 * to be opened, between a header, a checksum and a footer (sequence-dynamic.md).
 */
export class DynamicScheme implements Scheme {
  readonly name: string;
  readonly fallsTo =
    '{A1} who records one knock: it tells the header and footer, and with them he asks for any port from any address, until they are changed; {B2} the same; {A3} who breaks each attempt by packets to its ports in the client’s name; a neighbour behind the same NAT who connects first';
  readonly watched: Scheme['watched'];
  readonly #settings: DynamicSettings;
  readonly #context: SchemeContext;

  constructor(settings: DynamicSettings, context: SchemeContext) {
    this.#settings = settings;
    this.#context = context;
    this.name = context.name;
    this.watched = [settings];
  }

  judge(trail: readonly Heard[]): Verdict | null {
    const { first, lifetimeMs } = this.#settings;
    const used = lastKnocks(trail, this.watched, lengthOf(this.#settings));
    const wanted =
      used &&
      decodeDigits(
        used.map(({ port }) => port - first),
        this.#settings,
      );
    if (used === null || wanted === null) return null;
    const port = { protocol: 'tcp', port: wanted } as const;
    const { peer, serviceOf } = this.#context;
    const service = serviceOf(port);
    if (service === null) return null;
    const time = lifetimeMs !== null && { lifetimeMs };
    return { action: { kind: 'toggle' }, peer, service, port, ...time, used };
  }
}

/**
 * What a client sends.
 * @throws {HknockError} `usage` when the scheme cannot say what it wants
 */
export function dynamicHits(settings: DynamicSettings, call: Call): readonly Hit[] {
  const { action, port: wanted, address, lifetimeMs } = call;
  if (wanted?.protocol !== 'tcp' || String(wanted.port).length > settings.digits) {
    throw new HknockError('usage', 'this scheme needs a TCP port that its digits have room for', {
      hint: "name it behind the host, such as 'tcp/22'",
    });
  }
  if (action !== 'open' || address !== undefined || lifetimeMs !== undefined) {
    throw new HknockError('usage', 'a dynamic sequence tells a port and nothing else', {
      hint: 'sent again it closes what is open',
    });
  }
  const { protocol, first } = settings;
  return encodeDigits(wanted.port, settings).map((digit) => ({ protocol, port: first + digit }));
}

function lengthOf({ header, footer, digits }: DynamicSettings): number {
  return header.length + digits + 1 + footer.length;
}

function encodeDigits(
  port: Port,
  { header, footer, digits: count }: DynamicSettings,
): readonly number[] {
  const payload = Array.from(String(port).padStart(count, '0'), Number);
  return [...header, ...payload, checksumOf(payload), ...footer];
}

/** The port that the digits ask for; null when header, checksum or footer is wrong, or there is no such port. */
function decodeDigits(
  digits: readonly number[],
  { header, footer, digits: count }: DynamicSettings,
): Port | null {
  const payload = digits.slice(header.length, header.length + count);
  const port = Number(payload.join(''));
  const whole = [...header, ...payload, checksumOf(payload), ...footer];
  return isPort(port) && whole.every((digit, at) => digit === digits[at]) ? port : null;
}

function checksumOf(payload: readonly number[]): number {
  return payload.reduce((sum, digit) => sum + digit, 0) % 10;
}
