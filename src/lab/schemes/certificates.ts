import { join } from 'node:path';
import { initAuthority, revoke } from '../../server/authority.ts';
import { issueAsPem } from '../../server/issue-files.ts';
import { createSystemClock } from '../../system/clock.ts';
import { createSystemEntropy } from '../../system/entropy.ts';
import type { Admission } from '../../units/admission.ts';
import { parseServicePort } from '../../units/network.ts';
import { falls, holds, unusable } from '../expect.ts';
import { addresses } from '../network.ts';
import { type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { answered, expectedWhenAnswered } from './answered.ts';
import { enterAfter } from './enter-after.ts';
import { guessingAtChallenge, guessingAtSknock } from './guessing-at-certificates.ts';
import { type HknockServer, serveHknock } from './hknock-server.ts';

const DAYS = 30;
const SKNOCK_PORT = 62_203;

/** A Response with a certificate is longer than any Request (certificate.md). */
export const LONGEST_REQUEST = 200;

/** hknock's handshake, with a certificate. */
export function certificate(admission: Admission): Scheme {
  return {
    name: `certificate-${admission}`,
    title: `hknock with a certificate, admission ${admission}`,
    programs: [],
    behindNat: true,
    expected: expectedWhenAnswered(admission),
    deploy: async (world) => {
      const { files, ...server } = await serveWithCertificates(world, { admission });
      const host = addresses.server;
      return answered({
        admission,
        knock: (how) => world.client.ask('byCertificate', { ...files, host, admission, ...how }),
        isProof: (length) => length > LONGEST_REQUEST,
        guessing: await guessingAtChallenge(files, server.counted),
        revoke: server.revokeAlice,
        endGrants: server.endGrants,
        fleet: server.fleet,
      });
    },
  };
}

/** sKnock's one packet, for clients that have no NAT; nobody answers it. */
export function sknock(admission: Admission): Scheme {
  return {
    name: `sknock-${admission}`,
    title: `sKnock, admission ${admission}`,
    programs: [],
    behindNat: false,
    expected: {
      b1: holds,
      a1: holds,
      a1a2: holds,
      a1a2a3: falls,
      b2: holds,
      nat: unusable,
      dos: holds,
    },
    deploy: async (world) => {
      const { files, ...server } = await serveWithCertificates(world, {
        admission,
        sknockPort: SKNOCK_PORT,
      });
      const where = { host: addresses.server, port: SERVICE_PORT };
      const knock = (): Promise<void> => world.client.ask('bySknock', { ...files, ...where });
      return {
        ports: [SERVICE_PORT],
        knocksInOne: true,
        knock,
        enter: enterAfter(world, knock),
        guessing: await guessingAtSknock(files, { counted: server.counted, port: SKNOCK_PORT }),
        revoke: server.revokeAlice,
        endGrants: server.endGrants,
      };
    },
  };
}

interface Certified extends Pick<HknockServer, 'revokeAlice' | 'endGrants' | 'counted' | 'fleet'> {
  /** What the client has. */
  readonly files: {
    readonly certificate: string;
    readonly privateKey: string;
    readonly serverCertificate: string;
  };
}

interface CertificateOptions {
  readonly admission: Admission;
  /** Takes the packets of sKnock too, where a port for them is said. */
  readonly sknockPort?: number;
}

async function serveWithCertificates(
  world: World,
  { admission, sknockPort }: CertificateOptions,
): Promise<Certified> {
  const listen = `\n[sknock]\nlisten = ["0.0.0.0:${String(sknockPort)}"]\n`;
  const files = {
    certificate: world.path('cert-alice.pem'),
    privateKey: world.path('cert-alice.key'),
    serverCertificate: join(world.path('server'), 'server.pem'),
  };
  const host = {
    directory: world.path('server'),
    clock: createSystemClock(),
    entropy: createSystemEntropy(),
  };
  const { reload, ...served } = await serveHknock(world, {
    admission,
    configure: (text) =>
      `${text}\n[certificates]\nca = "ca/ca.pem"\nkey = "server.key"\ncrl = "ca/crl.pem"\n${sknockPort === undefined ? '' : listen}`,
    letThrough: { udp: sknockPort === undefined ? [] : [sknockPort] },
    prepare: async () => {
      await initAuthority(host, { name: 'lab', crlDays: DAYS });
      const server = { name: 'gate', authorised: null, days: DAYS, path: files.serverCertificate };
      await issueAsPem(host, server);
      const authorised = [parseServicePort(`tcp/${String(SERVICE_PORT)}`)];
      await issueAsPem(host, { name: 'alice', authorised, days: DAYS, path: files.certificate });
    },
  });
  const revokeAlice = async (): Promise<void> => {
    await revoke(host, { name: 'alice', crlDays: DAYS });
    await reload();
  };
  return { ...served, files, revokeAlice };
}
