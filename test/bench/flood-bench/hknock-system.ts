import { readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { addService } from '../../../src/config/add-service.ts';
import { deriveKeys } from '../../../src/handshake/keys.ts';
import {
  encodeRequest,
  encodeRequestBody,
  REQUEST_LENGTH,
} from '../../../src/handshake/wire/request.ts';
import { readProfileFile } from '../../../src/store/profile-file.ts';
import { DEFAULT_PORT } from '../../../src/store/profile.ts';
import type { Admission } from '../../../src/units/admission.ts';
import { parseServiceName } from '../../../src/units/names.ts';
import { parseServicePort } from '../../../src/units/network.ts';
import { parseDuration } from '../../../src/units/time.ts';
import { concat } from '../../../src/bytes/bytes.ts';
import type { Machine } from '../../support/machine.ts';
import { addresses } from '../../support/topology.ts';
import { liftLimits } from '../knock-stage.ts';
import type { Attack } from './attacker.ts';
import { badResponses } from './certificates.ts';
import { Client } from './client.ts';
import type { Kind } from './kinds.ts';
import { asClient, fromEverywhere, fromOne, own, randomDatagrams, syns } from './packets.ts';
import { recorded } from './recorded.ts';
import type { Scene } from './scene.ts';
import { startServices } from './services.ts';
import type { System, Times, Tries } from './system.ts';

/** The TCP port of the first service. */
export const FIRST_PORT = 9000;

/** Different Requests of one flood. */
const REQUESTS = 1024;

const KNOCKS = 100;

/** What makes both sides' code compiled before it is timed. */
const warmUp: Tries = { count: 1500, overMs: null, withinMs: 5000 };

export interface HknockOptions {
  readonly shield: boolean;
  /** Services, and so legitimate knocks that can be under way at a time. */
  readonly services: number;
  /** The widest that they accept. */
  readonly admission: Admission;
  readonly ttl: string;
  /** Whether to knock as often as it takes to be fast. */
  readonly warm: boolean;
}

/** hknock as it runs. */
export interface Hknock extends System {
  /** The file of the peer who knocks. */
  readonly profile: string;
  attack(kind: Kind): Promise<Attack>;
}

/** `hknock serve` from dist, with nftables and certificates, and a peer with a secret who knocks. */
export async function startHknock(scene: Scene, options: HknockOptions): Promise<Hknock> {
  const { server, client } = scene;
  const profile = server.path('flood.toml');
  await prepare(server, options, profile);
  const daemon = await server.serve();
  const knocker = await Client.start<Tries, Times>(client, 'knock-program.ts', profile);
  if (options.warm) await knocker.do(warmUp);
  return {
    name: `hknock, shield ${options.shield ? 'on' : 'off'}`,
    version: (await server.hknock(['--version'])).stdout.trim(),
    profile,
    knocks: KNOCKS,
    pid: daemon.child.pid ?? 0,
    knock: (tries) => knocker.do(tries),
    attack: (kind) => attackOf(kind, { ...scene, profile, knocker }),
  };
}

async function prepare(
  server: Machine,
  { shield, services, admission, ttl }: HknockOptions,
  profile: string,
): Promise<void> {
  const folder = server.path('server');
  const names = Array.from({ length: services }, (_, at) => `web${String(at)}`);
  await startServices(server, FIRST_PORT, services);
  await server.hknock(['init']);
  for (const [at, name] of names.entries()) {
    await addService(folder, {
      name: parseServiceName(name),
      ports: [parseServicePort(`tcp/${String(FIRST_PORT + at)}`)],
      ttlMs: parseDuration(ttl),
      admission,
    });
  }
  const peer = ['peer', 'add', 'flood', '--service', names.join(','), '--out', profile];
  await server.hknock([...peer, '--host', addresses.server]);
  await server.hknock(['ca', 'init']);
  await server.hknock(['ca', 'issue', 'gate', '--server']);
  const file = server.path('server/hknock.toml');
  liftLimits(file);
  const text = readFileSync(file, 'utf8').replace('shield = true', `shield = ${String(shield)}`);
  const certificates = 'ca = "ca/ca.pem"\nkey = "server.key"\ncrl = "ca/crl.pem"\n';
  writeFileSync(file, `${text}\n[certificates]\n${certificates}`);
}

interface Aim extends Scene {
  readonly profile: string;
  readonly knocker: Client<Tries, Times>;
}

async function attackOf(kind: Kind, aim: Aim): Promise<Attack> {
  const { attacker, server, profile } = aim;
  const { tag } = await readProfileFile(profile);
  switch (kind) {
    case 'random':
      return randomDatagrams(DEFAULT_PORT);
    case 'shaped':
      return fromEverywhere(DEFAULT_PORT, () => randomBytes(REQUEST_LENGTH));
    case 'tagged':
      return fromEverywhere(DEFAULT_PORT, () =>
        concat(tag, randomBytes(REQUEST_LENGTH - tag.length)),
      );
    case 'requests':
      return fromOne(own, DEFAULT_PORT, (await recordKnocks(aim)).requests);
    case 'responses':
      return fromOne(asClient, DEFAULT_PORT, (await recordKnocks(aim)).responses);
    case 'spoofed':
      return spoofedRequests(profile);
    case 'certificates': {
      const ask = (bytes: Uint8Array): Promise<Uint8Array> => attacker.ask(bytes, DEFAULT_PORT);
      const payloads = await badResponses(server.path('server/server.pem'), ask);
      return fromOne(own, DEFAULT_PORT, payloads);
    }
    case 'syn':
      return syns(FIRST_PORT);
  }
}

/** Knocks that have let their client in, as somebody on the wire saw them. */
async function recordKnocks({ topology, knocker }: Aim) {
  const tries = { count: 16, overMs: null, withinMs: 5000 };
  const during = (): Promise<Times> => knocker.do(tries);
  const datagrams = await recorded(topology, DEFAULT_PORT, { count: 2 * tries.count, during });
  return {
    requests: datagrams.filter(({ length }) => length === REQUEST_LENGTH),
    responses: datagrams.filter(({ length }) => length !== REQUEST_LENGTH),
  };
}

/** Made by somebody who has the peer's secret. */
async function spoofedRequests(profileFile: string): Promise<Attack> {
  const profile = await readProfileFile(profileFile);
  const keys = deriveKeys(profile);
  const service = parseServiceName('web0');
  const body = encodeRequestBody({ claimed: null, service, admission: null });
  const requests = Array.from({ length: REQUESTS }, () =>
    encodeRequest(keys, randomBytes(24), body),
  );
  return fromEverywhere(DEFAULT_PORT, (at) => requests[at % REQUESTS] ?? body);
}
