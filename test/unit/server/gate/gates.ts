import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { gateKey } from '../../../../src/admission/gate/gate-key.ts';
import { connectGranted } from '../../../../src/client/connect.ts';
import type { KnockGranted } from '../../../../src/client/knock.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../../src/host/fake-log.ts';
import { type Opening, plainDoor, type ProtectedPort } from '../../../../src/host/firewall.ts';
import { Gate, type GateOptions } from '../../../../src/server/gate/gate.ts';
import type { GrantId } from '../../../../src/units/names.ts';
import type { Port, Protocol } from '../../../../src/units/network.ts';
import type { UnixMs } from '../../../../src/units/time.ts';
import { freePort } from '../../../support/free-port.ts';
import { address, plan } from '../../grants/plans.ts';

export const loopback = address('127.0.0.1');

/** A TCP service of the test's: gives its port. */
export async function serve(t: ExecutionContext, meet: (socket: Socket) => void): Promise<Port> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    meet(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port as Port;
}

/** A UDP service of the test's: gives its port. `answer` is told who asks. */
export async function serveDatagrams(
  t: ExecutionContext,
  answer: (bytes: Buffer, from: RemoteInfo) => string | Buffer | null,
): Promise<Port> {
  const socket = createSocket('udp4', (bytes, from) => {
    const said = answer(bytes, from);
    if (said !== null) socket.send(said, from.port, from.address);
  }).bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port as Port;
}

interface StageOptions extends Pick<Partial<GateOptions>, 'anyAddress' | 'clock'> {
  readonly proxyProtocol?: boolean;
  readonly protocol?: Protocol;
}

let made = 0;

/** A gate on loopback before one service, and what is needed to come through. */
export class GateStage {
  readonly gate: Gate;
  readonly log: FakeLog;
  readonly service: ProtectedPort;

  static async create(
    t: ExecutionContext,
    servicePort: Port,
    options: StageOptions = {},
  ): Promise<GateStage> {
    const { clock = new FakeClock(), anyAddress = false, proxyProtocol = false } = options;
    const { protocol = 'tcp' } = options;
    const port = (await freePort()) as Port;
    const log = new FakeLog();
    const listen = [{ address: loopback, port }];
    const gate = new Gate({ listen, port, anyAddress, clock, log });
    const { service } = plan();
    const stage = new GateStage(gate, log, {
      service,
      port: { protocol, port: servicePort },
      upstream: null,
      proxyProtocol,
    });
    await gate.open();
    gate.leadTo([stage.service]);
    t.teardown(() => {
      gate.close();
    });
    return stage;
  }

  private constructor(gate: Gate, log: FakeLog, service: ProtectedPort) {
    this.gate = gate;
    this.log = log;
    this.service = service;
  }

  /** A grant that the gate knows, as the client has it. */
  grant(changes: Partial<Opening> = {}): KnockGranted {
    const sessionSecret = new Uint8Array(32).fill(++made);
    const grant = made.toString(16).padStart(16, '0') as GrantId;
    const opening: Opening = {
      grant,
      ...plan({ source: loopback, ports: [this.service.port], admission: 'gate' }),
      door: { ...plainDoor, admissionPort: this.gate.port, gateKey: gateKey(sessionSecret) },
      ...changes,
    };
    this.gate.admit(opening);
    return {
      granted: true,
      mode: 'challenge-response',
      prefix: null,
      grant,
      service: opening.service,
      server: loopback,
      observed: { address: loopback, port: 4711 },
      claimed: { address: loopback, port: 4711 },
      behindNat: false,
      elapsedMs: 1,
      admission: 'gate',
      ports: opening.ports,
      admissionPort: this.gate.port,
      expiresAt: 0 as UnixMs,
      sessionSecret,
      lease: null,
    };
  }

  /** A connection by a new grant. */
  enter(changes: Partial<Opening> = {}): Promise<Duplex> {
    return connectGranted(this.grant(changes));
  }
}
