import { randomBytes } from 'node:crypto';
import type { Attack } from '../attack.ts';
import { datagram, echoRequest, firstFragment, segment } from '../craft.ts';
import { addresses } from '../network.ts';
import { ACK, changePacket, FIN, type Packet, PSH, RST, SYN, URG } from '../packet.ts';
import { ControlFailed } from '../scene.ts';

/** Where knocks come in: those of fwknop, hknock and sKnock. The gate is there, too. */
const KNOCK_PORTS = [62_201, 62_202, 62_203];

/** One of each range that a sequence is made of here, and some that nobody has. */
const OTHER_PORTS = [7001, 9100, 9300, 10_000, 20_000, 1, 53, 40_000];

const TCP_PORTS = [8080, 22, 443, ...KNOCK_PORTS, ...OTHER_PORTS];

/** Those of a connection's packets, and what scanners send besides: nothing, and "Christmas trees". */
const flagSets = [SYN, ACK, SYN | ACK, FIN, RST, 0, FIN | PSH | URG];

/** As long as the messages of those protocols are, and around. */
const LENGTHS = [0, 1, 72, 100, 126, 222, 500, 725, 1037, 1200, 1472];
const TEXT_LENGTHS = [140, 204, 300];

/** What a host without a firewall answers: RST, RST with ACK, that a port is not reachable, an echo, that the rest of a datagram has not come. */
const KINDS_OF_ANSWERS = 5;

/** From his own address he sends what might be answered, messages of the scheme that are wrong among it, to the server, to an address where there is nobody, and to a host that answers. */
export const scan: Attack = {
  name: 'scan',
  needs: [],
  success: 'The attacker can tell the server from a host that is not there.',
  attempt: async (scene) => {
    const messages = (scene.guessing?.guess() ?? []).filter(({ protocol }) => protocol === 'udp');
    const [probes = [], ...others] = [addresses.server, addresses.nobody, addresses.nat].map(
      (address) => [
        ...probesOf(address),
        ...messages.map((each) => changePacket(each, { destination: address })),
      ],
    );
    const [arrived, returned] = await Promise.all([
      scene.countAt('server'),
      scene.countAt('stranger'),
    ]);
    const seesAnswers = (answers: readonly Packet[]): boolean =>
      kindsOf(answers, addresses.nat).length === KINDS_OF_ANSWERS;
    const answers = await scene.answersTo([...probes, ...others.flat()], seesAnswers);
    // where it was answered, his system may have said more
    if ((await arrived()) < probes.length) {
      throw new ControlFailed('what the attacker sent has not come to the server');
    }
    if ((await returned()) !== answers.length) {
      throw new ControlFailed('something came to the attacker past the router’s program');
    }
    if (!seesAnswers(answers)) throw new ControlFailed('no host has answered the attacker');
    const [server, nobody] = [addresses.server, addresses.nobody].map((each) =>
      String(kindsOf(answers, each)),
    );
    return server !== nobody;
  },
};

function probesOf(address: string): readonly Packet[] {
  const toPort = (payload: Uint8Array) => (port: number) => datagram({ address, port }, payload);
  return [
    ...payloads().flatMap((payload) => KNOCK_PORTS.map(toPort(payload))),
    ...OTHER_PORTS.map(toPort(randomBytes(1))),
    ...TCP_PORTS.flatMap((port) => flagSets.map((flags) => segment({ address, port }, flags))),
    echoRequest(address),
    firstFragment(datagram({ address, port: 62_202 }, randomBytes(64))),
  ];
}

/** Nothing in them is right but their lengths. */
function payloads(): readonly Uint8Array[] {
  return [
    ...LENGTHS.map((length) => randomBytes(length)),
    ...TEXT_LENGTHS.map((length) =>
      Buffer.from(randomBytes(length).toString('hex').slice(0, length)),
    ),
    // a message of sKnock begins so
    Buffer.concat([Buffer.from([0x61, 1, 0, 0]), randomBytes(LENGTHS[7] ?? 0)]),
  ];
}

/** What comes back from a host, or about it: each kind once. */
function kindsOf(answers: readonly Packet[], address: string): readonly string[] {
  const its = answers.filter((answer) => hostOf(answer) === address);
  return [...new Set(its.map(kindOf))].sort();
}

function kindOf({ protocol, tcp, bytes }: Packet): string {
  const icmpType = bytes.subarray(ICMP_AT, ICMP_AT + 2).join('.');
  return `${protocol} ${protocol === 'icmp' ? icmpType : String(tcp?.flags ?? '')}`;
}

/** Errors quote the packet that they are about, which somebody else may have dropped. */
function hostOf({ protocol, source, bytes, payload }: Packet): string {
  const isError = protocol === 'icmp' && bytes[ICMP_AT] !== ECHO_REPLY;
  return isError ? payload.subarray(QUOTED_DESTINATION, QUOTED_DESTINATION + 4).join('.') : source;
}

/** Behind a header without options. */
const ICMP_AT = 20;
const ECHO_REPLY = 0;
const QUOTED_DESTINATION = 16;
