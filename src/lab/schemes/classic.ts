import { writeFile } from 'node:fs/promises';
import {
  renderDynamicFile,
  renderEncryptedFile,
  renderFixedFile,
} from '../../config/new-scheme.ts';
import { renderOneTimeFile } from '../../config/one-time-file.ts';
import { schemePath } from '../../config/scheme-files.ts';
import type { Entropy } from '../../host/entropy.ts';
import type { Call } from '../../sequence/scheme.ts';
import { formatKey } from '../../store/key-text.ts';
import { createSystemEntropy } from '../../system/entropy.ts';
import { parsePeerName, parseServiceName } from '../../units/names.ts';
import { type IpAddress, parsePortRange, parseServicePort } from '../../units/network.ts';
import { falls, holds } from '../expect.ts';
import { addresses } from '../network.ts';
import { type Scheme, SERVICE_PORT, type World } from '../scheme.ts';
import { enterAfter } from './enter-after.ts';
import { guessingAtSequences } from './guessing-at-sequences.ts';
import { serveHknock } from './hknock-server.ts';

const peer = parsePeerName('alice');
const service = parseServiceName('web');
const port = parseServicePort(`tcp/${String(SERVICE_PORT)}`);
const entropy = createSystemEntropy();

interface Kind {
  readonly title: string;
  readonly expected: Scheme['expected'];
  readonly render: (entropy: Entropy) => string;
  /** What the client asks for at its so-manieth knock, counted from 1. */
  readonly call: (world: World, knock: number) => Call;
}

/** Grants are for the address, as with the schemes that these are. */
const all = { b1: holds, a1: falls, a1a2: falls, a1a2a3: falls, b2: holds, nat: falls, dos: falls };

const kinds = {
  fixed: {
    title: 'fixed sequence (Krzywinski 1)',
    expected: all,
    render: (random) =>
      renderFixedFile({ peer, service, ports: parsePortRange('7000-7999') }, random),
    call: () => ({ action: 'open' }),
  },
  dynamic: {
    title: 'dynamic mapping (Krzywinski 2)',
    expected: all,
    render: (random) => renderDynamicFile({ peer, ports: parsePortRange('9100-9109') }, random),
    call: () => ({ action: 'open', port }),
  },
  encrypted: {
    title: 'encrypted mapping (Krzywinski 3)',
    // the address is inside: it opens for nobody else
    expected: { ...all, a1: holds, a1a2: holds },
    render: (random) => renderEncryptedFile({ peer, ports: parsePortRange('9300-9555') }, random),
    call: ({ clientAddress }) => ({ action: 'open', port, address: clientAddress as IpAddress }),
  },
  'one-time': {
    title: 'one-time sequences (Jebaseeli)',
    expected: { ...all, a1: holds },
    render: (random) => {
      const ports = parsePortRange('10000-10099');
      const shape = { ports, knocks: 6, count: 50, numberPort: null };
      return renderOneTimeFile({ peer, service, ...shape }, random);
    },
    call: (_, number) => ({ action: 'open', number }),
  },
  'fwknop-shared': {
    title: 'shared sequence (fwknop 2004)',
    // its ports ascend
    expected: { ...all, b1: falls },
    render: () => `kind = "fwknop-shared"
peer = "${peer}"
service = "${service}"
sequence = ["tcp/9601", "udp/9602", "tcp/9603"]
require_os = ["*:64:1:60:M*,S,T,N,W*"]
`,
    call: () => ({ action: 'open' }),
  },
  'fwknop-encrypted': {
    title: 'encrypted sequence (fwknop 2004)',
    // as with the encrypted mapping
    expected: { ...all, a1: holds, a1a2: holds },
    render: (random) => `kind = "fwknop-encrypted"
peer = "${peer}"
key = "${formatKey(random.bytes(16))}"
user = "alice"
first_port = 9700
`,
    call: ({ clientAddress }) => ({ action: 'open', port, address: clientAddress as IpAddress }),
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** The classic schemes, as hknock has them. */
export function classic(name: keyof typeof kinds): Scheme {
  const kind: Kind = kinds[name];
  return {
    name,
    title: kind.title,
    programs: ['tcpdump'],
    behindNat: true,
    expected: kind.expected,
    deploy: (world) => deploy(world, name, kind),
  };
}

async function deploy(
  world: World,
  name: keyof typeof kinds,
  kind: Kind,
): ReturnType<Scheme['deploy']> {
  const text = kind.render(entropy);
  const file = world.path('scheme.toml');
  await writeFile(file, text, { mode: 0o600 });
  const { revokeAlice, endGrants, counted } = await serveHknock(world, {
    admission: 'address',
    configure: (config) => config.replace('schemes = []', `schemes = ["${name}"]`),
    prepare: (folder) => writeFile(schemePath(folder, name), text, { mode: 0o600 }),
  });
  let knocks = 0;
  const knock = async (): Promise<void> => {
    const call = kind.call(world, ++knocks);
    await world.client.ask('byScheme', { file, address: addresses.server, call });
  };
  return {
    ports: [SERVICE_PORT],
    knock,
    enter: enterAfter(world, knock),
    guessing: { ...guessingAtSequences[name], looks: () => counted('heard', 'sequence') },
    revoke: revokeAlice,
    endGrants,
  };
}
