/**
 * The order of the rooms, top to bottom. An import may only go down; rooms on one line never import each other.
 * This list is the only place where the order is written: every rule below is made from it.
 */
const order = [
  ['src/cli.ts', 'web'],
  ['src/commands'],
  ['src/api.ts', 'src/embedded', 'src/client', 'src/explorer'],
  ['schema', 'src/http', 'workers'],
  ['src/monitoring'],
  ['src/app.ts'],
  ['src/scoring'],
  ['src/webhooks', 'src/backup'],
  ['src/jobs'],
  ['src/predictions'],
  ['src/patients'],
  ['src/identity', 'src/administration'],
  ['src/audit'],
  ['src/scope'],
  ['src/auth'],
  ['src/config'],
  ['src/protection'],
  ['src/model-store'],
  ['src/storage'],
  ['src/events', 'src/risk', 'models', 'src/net', 'src/closers.ts', 'src/input.ts'],
  ['src/process'],
  ['src/errors.ts'],
];

/** Rooms that may be imported by fewer than those above them: `room: the only ones that may`. */
const onlyFor = {
  'src/embedded': ['src/cli.ts', 'src/commands'],
  'src/client': ['src/cli.ts', 'src/commands', 'web'],
  'src/explorer': [],
};

/** What a room may not import from packages: the engine and the stored documents stay free of transport and storage. */
const packagesRefused = {
  'src/risk': ['graphql', 'type-graphql', 'mongoose', '@typegoose', 'bullmq', 'ioredis', 'fastify'],
  models: ['graphql', 'type-graphql'],
};

const rooms = order.flat();
const pattern = (room) => (room.endsWith('.ts') ? `^${room.replaceAll('.', '\\.')}$` : `^${room}/`);
const any = (list) => list.map(pattern).join('|');

/** For each room a rule: nothing above it, and nothing beside it. */
const downward = order.flatMap((line, level) =>
  line.flatMap((room) => {
    const refused = order
      .slice(0, level + 1)
      .flat()
      .filter((other) => other !== room);
    if (refused.length === 0) return [];
    return [
      {
        name: `${room} imports downward`,
        severity: 'error',
        from: { path: pattern(room) },
        to: { path: any(refused) },
      },
    ];
  }),
);

module.exports = {
  forbidden: [
    {
      name: 'no circle',
      severity: 'error',
      comment: 'Imports of types alone count too.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every file has a room',
      severity: 'error',
      comment: 'A new folder or loose file needs a place in the order.',
      from: {},
      to: { path: '^(src|schema|models|workers|web)/', pathNot: any(rooms) },
    },
    ...downward,
    ...Object.entries(onlyFor).map(([room, users]) => ({
      name: `${room} is for ${users.join(', ') || 'the build alone'}`,
      severity: 'error',
      from: { path: '^(src|schema|models|workers|web)/', pathNot: any([room, ...users]) },
      to: { path: pattern(room) },
    })),
    ...Object.entries(packagesRefused).map(([room, packages]) => ({
      name: `${room} knows no ${packages[0]}`,
      severity: 'error',
      from: { path: pattern(room) },
      to: { path: packages.map((name) => `node_modules/${name}/`).join('|') },
    })),
    {
      name: 'the console is a caller of the API',
      severity: 'error',
      comment: 'It knows the client and the pure functions that draw plots.',
      from: { path: '^web/' },
      to: { path: '^(src|schema|models|workers)/', pathNot: '^src/(client|risk/plots)/' },
    },
    {
      name: 'the client needs no package',
      severity: 'error',
      comment: 'It also runs in browsers, and stands alone there. Its adapters import their libraries.',
      from: { path: '^src/client/', pathNot: '^src/client/(apollo|urql)\\.ts$' },
      to: { pathNot: '^(src/client/|(node_modules/)?@graphql-typed-document-node/)' },
    },
    {
      name: 'ciphers stand alone',
      severity: 'error',
      comment: 'They can be read and tested without the rest.',
      from: { path: '^src/protection/(aes-gcm|blind-index|field-cipher|key-wrap|master-keys)' },
      to: { pathNot: '^(crypto|node:crypto|src/errors|src/protection/(aes-gcm|errors))' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
