import { addresses } from '../network.ts';
import { SERVICE_PORT, type World } from '../scheme.ts';

const TRY_EVERY_MS = 50;

/** For schemes that answer nothing: the client knocks, and then tries to connect until it is let in. */
export function enterAfter(
  { client }: World,
  knock: () => Promise<void>,
  port = SERVICE_PORT,
): (withinMs: number) => Promise<number> {
  return async (withinMs) => {
    await knock();
    const door = { address: addresses.server, ports: [port] };
    return client.ask('tryToEnter', { ...door, forMs: withinMs, everyMs: TRY_EVERY_MS });
  };
}
