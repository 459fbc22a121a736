import test from 'ava';
import { decodeConfig } from '../../../src/config/load.ts';
import { faultOf } from '../store/scratch.ts';

const on = 'schemes = ["totp"]\n';

test('sequence mode is off unless it is asked for', (t) => {
  t.like(decodeConfig('', '/srv').sequence, { hasTotp: false, files: [] });
});

for (const [what, text, key] of [
  ['fewer than 256 ports for each knock', '[sequence.totp]\nports = "20000-21534"', 'ports'],
  [
    'a port that a service needs open',
    `[sequence]\n${on}[services.game]\nports = ["tcp/25565"]`,
    'ports',
  ],
  [
    'the port where other knocks come in',
    `[sequence]\n${on}[sequence.totp]\nprotocol = "udp"\nports = "60000-65000"`,
    'ports',
  ],
  ['three knocks', '[sequence.totp]\nknocks = 3', 'knocks'],
  ['a budget that no sequence of 16 fits', '[sequence]\nbudget = 15', 'budget'],
  ['a prefix of two lines', '[sequence]\nlog_prefix = "a\\nb"', 'log_prefix'],
  ['a scheme whose file would lie elsewhere', '[sequence]\nschemes = ["../door"]', 'schemes[0]'],
] as const) {
  test(`${what}: refused, with its key`, async (t) => {
    const fault = await faultOf(() => decodeConfig(text, '/srv'));
    t.is(fault.code, 'config');
    t.regex(fault.message, new RegExp(key.replace('[', '\\[')));
  });
}

test('while the mode is off, the range of its ports is nobody’s', (t) => {
  t.notThrows(() => decodeConfig('[services.game]\nports = ["tcp/25565"]', '/srv'));
});
