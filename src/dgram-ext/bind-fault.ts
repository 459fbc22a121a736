import { HknockError } from '../errors/hknock-error.ts';
import { systemCode } from '../errors/system-code.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';

/** Says what the system meant when it refused to bind a UDP socket. */
export function bindFault(cause: unknown, endpoint: Endpoint): HknockError {
  const { said, hint } = explain(systemCode(cause) ?? 'unknown', endpoint.port);
  const message = `cannot listen on UDP ${formatEndpoint(endpoint)}: ${said}`;
  return new HknockError('bind', message, { hint, cause });
}

function explain(code: string, port: number): { said: string; hint: string } {
  switch (code) {
    case 'EADDRINUSE':
      return {
        said: `port ${String(port)} is in use`,
        hint: `'ss -ulnp sport = :${String(port)}' shows by whom; stop that program or choose another port`,
      };
    case 'EACCES':
      return {
        said: `this user may not use port ${String(port)}`,
        hint: 'choose a port of 1024 or above, or start with the capability CAP_NET_BIND_SERVICE',
      };
    case 'EADDRNOTAVAIL':
      return {
        said: 'this machine does not have that address',
        hint: "'ip address' shows those it has; 0.0.0.0 and [::] stand for all of them",
      };
    default:
      return {
        said: `the system refused (${code})`,
        hint: "check that the address's family is switched on: 'ip address' shows what there is",
      };
  }
}
