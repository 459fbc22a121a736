// What Debian's fwknop 2.6.10 makes of arguments at random, read by our codec. It sends nothing: --test prints the packet.
import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { decodeNatAccess, encodeAccess } from '../../src/fwknop/access.ts';
import { decodeMessage, type SpaMessage } from '../../src/fwknop/message.ts';
import { openPacket, type SpaKeys, verifyPacket } from '../../src/fwknop/packet.ts';
import { SpaReplayRecord } from '../../src/fwknop/replay-record.ts';
import { SpaResponder, type SpaTerms } from '../../src/fwknop/responder.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { hmacTypes } from '../../src/units/hmac-type.ts';
import { parsePeerName, parseServiceName } from '../../src/units/names.ts';
import { formatServicePort, type Port, parseServicePort } from '../../src/units/network.ts';
import type { DurationMs, MonotonicMs, UnixMs } from '../../src/units/time.ts';
import { netTestWith } from '../support/capabilities.ts';
import { here, Machine } from '../support/machine.ts';
import { cleanUp } from '../support/netns.ts';
import { address } from '../unit/grants/plans.ts';

/** Each runs the client once. */
const RUNS = 40;

const port = fc.integer({ min: 1, max: 65_535 });

const key = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });

/** What of the command line is drawn at random. */
const wishes = fc.record({
  keys: fc
    .record({ key: key(32), hmacKey: key(128), hmacType: fc.constantFrom(...hmacTypes) })
    // the client wants two keys
    .filter(({ key: one, hmacKey: other }) => !Buffer.from(one).equals(other)),
  digest: fc.constantFrom(...hmacTypes),
  user: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,31}$/),
  source: fc.ipV4().filter((each) => each !== '0.0.0.0'),
  ports: fc.array(
    fc
      .tuple(fc.constantFrom('tcp', 'udp'), port)
      .map(([protocol, number]) => parseServicePort(`${protocol}/${String(number)}`)),
    { minLength: 1, maxLength: 12 },
  ),
  timeout: fc.option(fc.integer({ min: 1, max: 65_535 })),
  nat: fc.option(fc.record({ isLocal: fc.boolean(), to: fc.ipV4(), port })),
});

type Wish = typeof wishes extends fc.Arbitrary<infer T> ? T : never;

function argsOf({ keys, digest, user, source, ports, timeout, nat }: Wish): readonly string[] {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const wanted = nat === null ? ports : ports.slice(0, 1);
  return [
    ...['--no-rc-file', '--test', '--verbose', '--use-hmac', '-D', '127.0.0.1'],
    ...['--key-base64-rijndael', base64(keys.key), '--key-base64-hmac', base64(keys.hmacKey)],
    ...['--hmac-digest-type', keys.hmacType.replace('-', '_')],
    ...['--digest-type', digest.replace('-', '_'), '--spoof-user', user],
    ...['-a', source, '-A', wanted.map(formatServicePort).join(',')],
    ...(timeout === null ? [] : ['--fw-timeout', String(timeout)]),
    ...(nat === null ? [] : ['--nat-port', String(nat.port)]),
    ...(nat === null ? [] : nat.isLocal ? ['--nat-local'] : ['-N', nat.to]),
  ];
}

/** What the client should have put into the packet. */
function messageOf({ user, source, ports, timeout, nat }: Wish): Partial<SpaMessage> {
  const [first] = ports;
  const kind = nat === null ? 'access' : nat.isLocal ? 'local-nat-access' : 'nat-access';
  const led = first === undefined || nat === null ? ports : [{ ...first, port: nat.port as Port }];
  const to = nat?.isLocal === true ? '127.0.0.1' : (nat?.to ?? '');
  return {
    user,
    type: timeout === null ? kind : `${kind}-timeout`,
    text: encodeAccess({ source: address(source), ports: led }),
    natAccess: nat === null ? null : `${to},${String(first?.port)}`,
    timeoutSeconds: timeout,
  };
}

netTestWith('fwknop')(
  'whatever the stock client is asked for, we read, once, and nothing that is cut or longer',
  async (t) => {
    const machine = new Machine(here);
    cleanUp(t, () => machine.remove());
    await fc.assert(
      fc.asyncProperty(wishes, async (wish) => {
        // it cannot read its own longest packets back, and says so when it has printed them
        const printed = await machine.run(['fwknop', ...argsOf(wish)], { allowFailure: true });
        const [, packet = ''] = /^ Final SPA Data: (\S+)$/m.exec(printed.stdout) ?? [];
        const message = decode(wish.keys, packet);
        t.like(message, messageOf(wish));
        t.true(Math.abs(message.timestamp * 1000 - Date.now()) < 60_000);
        judgeAll(t, { keys: wish.keys, packet, message });
      }),
      { numRuns: RUNS },
    );
  },
);

interface Made {
  readonly keys: SpaKeys;
  readonly packet: string;
  readonly message: SpaMessage;
}

function decode(keys: SpaKeys, packet: string): SpaMessage {
  const text = verifyPacket(keys, packet);
  const message = decodeMessage(openPacket(keys, text ?? '') ?? new Uint8Array());
  if (typeof message === 'string') throw new Error(message);
  return message;
}

/** What is cut off of a packet, or longer, is dropped and leaves nothing; the packet itself is good, once. */
function judgeAll(t: ExecutionContext, { keys, packet, message }: Made): void {
  const rate = { perSecond: 1000, burst: 1000 };
  const replays = new SpaReplayRecord(16);
  const responder = new SpaResponder({ limits: new KnockLimits(rate, rate), replays });
  const terms: SpaTerms = {
    peers: [{ name: parsePeerName('alice'), keys }],
    serviceOf: () => parseServiceName('ssh'),
    canLead: () => true,
    upstreamOf: () => decodeNatAccess(message.natAccess ?? ''),
    mayRun: () => false,
    maxAgeMs: 120_000 as DurationMs,
    acceptsAnySource: false,
  };
  const arrival = {
    source: { address: address('198.51.100.7'), port: 4711 },
    now: 0 as MonotonicMs,
    unixMs: Date.now() as UnixMs,
  };
  const judge = (text: string) => responder.receive(Buffer.from(text), terms, arrival).kind;
  for (const at of packet.split('').keys()) t.is(judge(packet.slice(0, at)), 'drop');
  for (const more of ['A', '=', ':', '\n']) t.is(judge(packet + more), 'drop');
  t.is(replays.packets.length, 0);
  t.is(judge(packet), 'knock');
  t.is(judge(packet), 'drop');
}
