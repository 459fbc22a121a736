import test from 'ava';
import { configSchema } from '../../../../src/config/schema.ts';
import { configTemplate } from '../../../../src/config/template.ts';
import { documentOf, renderToml, withSettings } from '../../../../src/lab/own/settings.ts';
import { parseEndpoint } from '../../../../src/config/endpoint.ts';
import { parseToml } from '../../../../src/store/toml/document.ts';

const source = { file: 'hknock.toml', code: 'config' } as const;

function read(text: string) {
  return documentOf(parseToml(text, source));
}

test('what is rendered says the same: the template, dotted keys, inline tables, keys in quotes', (t) => {
  const template = configTemplate([parseEndpoint('0.0.0.0:62202')]);
  const commands = '[fwknop.commands]\n"restart-web" = ["/bin/sh", "a \\"b\\" \\\\ \\u007f", ""]\n';
  const text = `${template.replace('[fwknop.commands]\n', commands)}
    [services]
    ssh = { ports = ["tcp/22"], admission = "gate" }
    web.ports = ["tcp/80", "tcp/443"]`;
  const document = read(text);
  t.deepEqual(read(renderToml(document)), document);
  t.true(configSchema.safeParse(document).success);
});

test('a setting is changed, added with the tables on its way, or taken away; the others stay', (t) => {
  const document = read('[policy]\nttl = "5s"\nadmission = "once"\n');
  const changed = withSettings(document, [
    { path: ['policy', 'admission'], value: 'gate' },
    { path: ['services', 'ssh', 'prefix'], value: true },
    { path: ['policy', 'ttl'], value: null },
  ]);
  t.deepEqual(changed, {
    policy: { admission: 'gate' },
    services: { ssh: { prefix: true } },
  });
  t.deepEqual(read('[policy]\nttl = "5s"\nadmission = "once"\n'), document);
});
