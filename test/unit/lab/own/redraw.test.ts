import test from 'ava';
import { decodeScheme } from '../../../../src/config/scheme-files.ts';
import {
  renderDynamicFile,
  renderEncryptedFile,
  renderFixedFile,
} from '../../../../src/config/new-scheme.ts';
import { renderOneTimeFile } from '../../../../src/config/one-time-file.ts';
import { redraw } from '../../../../src/lab/own/redraw.ts';
import { documentOf, renderToml, textAt, withSettings } from '../../../../src/lab/own/settings.ts';
import { parseToml } from '../../../../src/store/toml/document.ts';
import { FakeEntropy } from '../../../../src/host/fake-entropy.ts';
import { parsePeerName, parseServiceName } from '../../../../src/units/names.ts';
import { parsePortRange } from '../../../../src/units/network.ts';

const entropy = new FakeEntropy();
const who = { peer: parsePeerName('alice'), service: parseServiceName('ssh') };
const shape = { knocks: 6, count: 60, numberPort: 9999 };
const source = { file: 'door.toml', code: 'config' } as const;

/** A file of each kind, and the keys of its secrets. */
const files: readonly (readonly [string, readonly string[]])[] = [
  [
    renderFixedFile({ ...who, ports: parsePortRange('7000-7999') }, entropy),
    ['open', 'close', 'ban'],
  ],
  [
    renderDynamicFile({ ...who, ports: parsePortRange('9100-9109') }, entropy),
    ['header', 'footer'],
  ],
  [renderEncryptedFile({ ...who, ports: parsePortRange('9300-9555') }, entropy), ['key']],
  [
    renderOneTimeFile({ ...who, ...shape, ports: parsePortRange('10000-10099') }, entropy),
    ['sequences'],
  ],
  [
    `kind = "fwknop-encrypted"\npeer = "alice"\nuser = "alice"\nkey = "${'A'.repeat(22)}"\n`,
    ['key'],
  ],
  [
    'kind = "fwknop-shared"\npeer = "alice"\nservice = "ssh"\nsequence = ["tcp/5000", "icmp", "udp/5001", "tcp/5000"]\n',
    ['sequence'],
  ],
];

test('of a scheme of each kind its secrets are drawn anew, and nothing else is changed', (t) => {
  for (const [text, secrets] of files) {
    const file = documentOf(parseToml(text, source));
    const taken = new Set([33_000]);
    const other = withSettings(file, redraw(file, { taken, entropy }));
    for (const [key, value] of Object.entries(other)) {
      if (secrets.includes(key)) t.notDeepEqual(value, file[key], `${textAt(file, 'kind')} ${key}`);
      else t.deepEqual(value, file[key], `${textAt(file, 'kind')} ${key}`);
    }
    t.deepEqual(Object.keys(other).sort(), Object.keys(file).sort());
    const { kind, peer } = decodeScheme(renderToml(other), source);
    t.deepEqual([kind, peer], [file['kind'], who.peer]);
  }
});

test('a sequence of knocks keeps its pattern: what was one port twice is one port twice', (t) => {
  const [, , , , , shared] = files;
  const file = documentOf(parseToml(shared?.[0] ?? '', source));
  const [setting] = redraw(file, { taken: new Set(), entropy });
  const [first, echo, third, fourth] = setting?.value as readonly string[];
  t.is(first, fourth);
  t.is(echo, 'icmp');
  t.regex(third ?? '', /^udp\//);
});
