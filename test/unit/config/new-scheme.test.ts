import test from 'ava';
import {
  renderDynamicFile,
  renderEncryptedFile,
  renderFixedFile,
} from '../../../src/config/new-scheme.ts';
import { decodeScheme } from '../../../src/config/scheme-files.ts';
import { createSystemEntropy } from '../../../src/system/entropy.ts';
import { parsePeerName, parseServiceName } from '../../../src/units/names.ts';
import { parsePortRange } from '../../../src/units/network.ts';
import { faultOf } from '../store/scratch.ts';

const entropy = createSystemEntropy();
const peer = parsePeerName('alice');
const service = parseServiceName('ssh');

const decode = (text: string) => decodeScheme(text, { file: 'door.toml', code: 'config' });

test('fixed sequences share no port, and a scan of all ports sends none of them', (t) => {
  for (let n = 0; n < 200; n++) {
    const scheme = decode(
      renderFixedFile({ peer, service, ports: parsePortRange('7000-7023') }, entropy),
    );
    t.is(scheme.watched.length, 24);
    for (const action of ['open', 'close', 'ban'] as const) {
      const ports = scheme.hits({ action }).map(({ port }) => port);
      t.notDeepEqual(
        ports,
        ports.toSorted((a, b) => a - b),
      );
    }
  }
});

test('the others take the ports that they are given', (t) => {
  const dynamic = decode(renderDynamicFile({ peer, ports: parsePortRange('100-109') }, entropy));
  t.like(dynamic, { kind: 'dynamic', watched: [{ protocol: 'tcp', first: 100, last: 109 }] });
  const encrypted = decode(
    renderEncryptedFile({ peer, ports: parsePortRange('745-1000') }, entropy),
  );
  t.like(encrypted, { kind: 'encrypted', watched: [{ first: 745, last: 1000 }] });
});

test('twenty-three ports are too few for three sequences of eight', async (t) => {
  const ports = parsePortRange('7000-7022');
  t.is((await faultOf(() => renderFixedFile({ peer, service, ports }, entropy))).code, 'usage');
});
