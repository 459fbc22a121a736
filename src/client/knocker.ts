import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { HknockError } from '../errors/hknock-error.ts';
import { readOwnAuthorisation } from '../pki/own-authorisation.ts';
import { createSknock, MAX_SKNOCK_CERTIFICATE_LENGTH } from '../sknock/initiator.ts';
import { createSystemClock } from '../system/clock.ts';
import { createSystemEntropy } from '../system/entropy.ts';
import {
  formatEndpoint,
  formatServicePort,
  type IpAddress,
  type Port,
  type Protocol,
  type ServicePort,
} from '../units/network.ts';
import { connectWhenOpen } from './connect-when-open.ts';
import { type Identity, type IdentityFiles, readIdentity } from './identity.ts';
import { interleaveFamilies, resolveHost } from './resolve.ts';
import { sendOnce } from './send-once.ts';

/** Where a server takes sKnock if it does not say otherwise. */
const SKNOCK_PORT = 62_203 as Port;

/** The ports of which the reference client chooses one at random for each knock. */
const REFERENCE_PORTS = [10_000, 60_000] as const;

export interface KnockerOptions extends IdentityFiles {
  /** Whether a knock for a TCP port is followed by a connection to it, since nobody says whether it opened; so if not said. */
  readonly verify?: boolean;
  /** How long that is tried after each knock; 2000 ms if not said. */
  readonly timeoutMs?: number;
  /** How many more times to knock when there is no connection; 2 if not said. */
  readonly retries?: number;
  /** The server's UDP port: 62203 if not said; `random` for one of 10000 to 60000, as the reference client has it. */
  readonly knockPort?: Port | 'random';
  /** The address to be let in from, which must be the one that the server sees; the one that we have here if not said. */
  readonly source?: IpAddress;
}

/** A knock that was sent. Unless it was verified, that says nothing of what became of it. */
export interface SknockSent {
  readonly server: IpAddress;
  readonly port: ServicePort;
  /** The address that the knock names. */
  readonly claimed: IpAddress;
  /** The connection that showed that the port is open, which is the caller's: with most grants it is the only one. Null: not verified. */
  readonly connection: Socket | null;
}

/**
 * Makes ready to knock as sKnock does (sknock.md): with a certificate, in one packet.
 * @throws {HknockError} `bad-input` when a file is missing or wrong, `config` when others have access to the key
 */
export async function createKnocker(options: KnockerOptions): Promise<Knocker> {
  return new Knocker(await readIdentity(options, MAX_SKNOCK_CERTIFICATE_LENGTH), options);
}

export class Knocker {
  /** The ports that the certificate is for. */
  readonly authorised: readonly ServicePort[];
  readonly #identity: Identity;
  readonly #options: Omit<KnockerOptions, keyof IdentityFiles>;

  constructor(identity: Identity, options: Omit<KnockerOptions, keyof IdentityFiles> = {}) {
    this.authorised = readOwnAuthorisation(identity.certificate);
    this.#identity = identity;
    this.#options = options;
  }

  /**
   * Knocks for one port of a server.
   * @throws {HknockError} `usage` when the certificate is not for that port, `no-answer` for an unknown host, where there is no way to
   * it, and when the port did not open
   */
  async knock(host: string, port: number, protocol: Protocol): Promise<SknockSent> {
    const wanted = this.#require(protocol, port);
    const { verify = true, retries = 2 } = this.#options;
    const connects = verify && protocol === 'tcp';
    const servers = interleaveFamilies(await resolveHost(host));
    const tries = Array.from({ length: connects ? 1 + retries : 1 }, () => servers).flat();
    // in order of the system's preference: what the first came to says most
    let first: unknown = new HknockError('no-answer', `'${host}' has no address`);
    for (const [at, server] of tries.entries()) {
      try {
        const sent = await this.#send(server, wanted);
        return connects ? await this.#connect(sent) : sent;
      } catch (fault) {
        if (at === 0) first = fault;
      }
    }
    throw first;
  }

  #require(protocol: Protocol, port: number): ServicePort {
    const wanted = this.authorised.find((each) => each.protocol === protocol && each.port === port);
    if (wanted !== undefined) return wanted;
    const names = this.authorised.map(formatServicePort).join(', ');
    throw new HknockError('usage', `the certificate is not for ${protocol}/${String(port)}`, {
      hint: names === '' ? 'it names no ports that it is for' : `it is for: ${names}`,
    });
  }

  async #send(server: IpAddress, port: ServicePort): Promise<SknockSent> {
    const { source, knockPort = SKNOCK_PORT } = this.#options;
    const [first, last] = REFERENCE_PORTS;
    const to = knockPort === 'random' ? (randomInt(first, last + 1) as Port) : knockPort;
    const issuedAtUnixS = Math.floor(createSystemClock().unixMs() / 1000);
    const local = await sendOnce({ address: server, port: to }, ({ address }) =>
      createSknock(
        this.#identity,
        { port, address: source ?? address, issuedAtUnixS },
        createSystemEntropy(),
      ),
    );
    return { server, port, claimed: source ?? local.address, connection: null };
  }

  async #connect(sent: SknockSent): Promise<SknockSent> {
    const { source, timeoutMs = 2000 } = this.#options;
    const { server, port, claimed } = sent;
    // where the address is not ours, a NAT makes it so
    const localAddress = source === undefined ? claimed : null;
    const connection = await connectWhenOpen({ server, port: port.port, localAddress, timeoutMs });
    if (connection !== null) return { ...sent, connection };
    const where = formatEndpoint({ address: server, port: port.port });
    throw new HknockError('no-answer', `${where} did not open for ${claimed}`, {
      hint: `the server tells nobody but its log why. Behind a NAT it sees another address than ${claimed}, and sKnock cannot work: the same certificate does with the challenge (--mode certificate)`,
    });
  }
}
