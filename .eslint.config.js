import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// rooms that get time on the event, randomness and the network handed in: a test replays them byte for byte
const pureRooms = [
  'handshake',
  'certificate',
  'sknock',
  'sequence',
  'fwknop',
  'guard',
  'policy',
].map((room) => `src/${room}/**/*.ts`);

const exits = [
  { object: 'process', property: 'exit', message: 'Only src/cli ends the process.' },
  { object: 'process', property: 'abort', message: 'Only src/cli ends the process.' },
];

const clocksAndDice = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['performance', 'now'],
  ['process', 'hrtime'],
  ['globalThis', 'crypto'],
].map(([object, property]) => ({
  object,
  property,
  message: 'Time comes on the event and randomness through Entropy.',
}));

const randomness = [
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
].concat(['webcrypto', 'getRandomValues', 'generateKeySync', 'generateKey']);

const impureImports = {
  paths: [
    ...['node:crypto', '@noble/hashes/utils.js'].map((name) => ({
      name,
      importNames: randomness,
      message: 'Randomness comes through Entropy.',
    })),
    ...['dgram', 'fs', 'fs/promises', 'child_process', 'timers', 'timers/promises', 'net'].map(
      (name) => ({ name: `node:${name}`, message: 'This room does no input, output or waiting.' }),
    ),
  ],
};

export default defineConfig(
  { ignores: ['dist/', 'coverage/'] },
  js.configs.recommended,
  // a rule that is wrong is changed here, for all
  { linterOptions: { noInlineConfig: true } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-properties': ['error', ...exits],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      complexity: ['error', 12],
      'max-depth': ['error', 3],
      'max-lines': ['error', { max: 250, skipComments: true, skipBlankLines: true }],
      'max-lines-per-function': ['error', { max: 50, skipComments: true, skipBlankLines: true }],
      '@typescript-eslint/max-params': ['error', { max: 3 }],
    },
  },
  {
    files: pureRooms,
    rules: {
      'no-restricted-properties': ['error', ...exits, ...clocksAndDice],
      'no-restricted-imports': ['error', impureImports],
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'crypto', 'performance'].map((name) => ({
          name,
          message: 'Time comes on the event and randomness through Entropy.',
        })),
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time comes on the event.',
        },
        {
          selector: "CallExpression[callee.name='Date']",
          message: 'Time comes on the event.',
        },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'test/**/*.ts', 'fixtures/**/*.ts'],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
  {
    // a test knows what is in the text that it takes apart
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-misused-spread': 'off' },
  },
  {
    // Node's own globals
    files: ['*.js', '*.cjs', '.*.js', '.*.cjs'],
    languageOptions: { globals: { module: 'readonly' } },
  },
);
