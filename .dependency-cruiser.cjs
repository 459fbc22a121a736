// The arrows between the rooms of src/: what is not listed here is not allowed.
const base = ['units', 'bytes', 'errors'];

/** Room: what it may import besides itself and the base. */
const arrows = {
  host: [],
  crypto: [],
  guard: ['crypto'],
  handshake: ['guard', 'crypto'],
  pki: ['crypto'],
  certificate: ['handshake', 'pki', 'guard', 'crypto'],
  sknock: ['pki', 'guard', 'crypto'],
  sequence: ['guard', 'crypto', 'host'],
  fwknop: ['guard', 'crypto'],
  policy: [],
  grants: ['policy', 'host'],
  firewall: ['host'],
  admission: ['crypto', 'host'],
  silent: ['admission', 'crypto'],
  'dgram-ext': ['host'],
  store: ['host'],
  system: ['host'],
  config: ['store', 'sequence', 'host'],
};

/** Rooms that name the interfaces of `host` in what is handed to them, and never run a line of it. */
const hostTypesOnly = ['crypto', 'guard', 'handshake', 'certificate', 'sknock', 'fwknop'];

const rooms = [...base, ...Object.keys(arrows), 'server', 'client', 'lab', 'cli'];

const room = (names) => `^src/(${names.join('|')})/`;

const arrowRules = Object.entries(arrows).map(([name, allowed]) => ({
  name: `arrows-of-${name}`,
  severity: 'error',
  from: { path: room([name]) },
  to: {
    path: '^src/',
    pathNot: room([name, ...allowed, ...base, ...(hostTypesOnly.includes(name) ? ['host'] : [])]),
  },
}));

module.exports = {
  forbidden: [
    ...arrowRules,
    {
      name: 'host-as-types-only',
      severity: 'error',
      from: { path: room(hostTypesOnly) },
      to: { path: room(['host']), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'fakes-are-for-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '/fake-[^/]+$' },
      to: { path: '/fake-[^/]+$' },
    },
    {
      name: 'base-stands-alone',
      severity: 'error',
      from: { path: room(base) },
      to: { path: '^src/', pathNot: room(base) },
    },
    {
      name: 'cli-is-the-top',
      comment: 'Only the command line may use the command line.',
      severity: 'error',
      from: { path: '^src/', pathNot: room(['cli']) },
      to: { path: room(['cli']) },
    },
    {
      name: 'known-rooms-only',
      comment: 'A new room needs its line in this file.',
      severity: 'error',
      from: {},
      to: { path: '^src/.*/', pathNot: room(rooms) },
    },
    {
      name: 'index-is-a-door-out',
      comment: 'The public API is for others; inside, import the file that means it.',
      severity: 'error',
      from: { path: '^src/', pathNot: room(['cli']) },
      to: { path: '^src/index\\.ts$' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['^src/index\\.ts$', '^src/cli/main\\.ts$'] },
      to: {},
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev', 'unknown'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-tests-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|fixtures)/' },
    },
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      from: {
        path: room([
          'handshake',
          'certificate',
          'sknock',
          'silent',
          'sequence',
          'fwknop',
          'guard',
          'policy',
        ]),
      },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(dgram|fs|fs/promises|child_process|net|timers|timers/promises)$',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // arrows of types count as well
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
};
