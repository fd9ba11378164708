/** Arrows only point down: cli -> api, workers -> schema -> patients, jobs -> risk, models, events, auth. No circle anywhere. */
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'risk-knows-nothing-of-us', severity: 'error', comment: 'The risk engine knows no GraphQL, no database, no queue.', from: { path: '^src/risk' }, to: { path: '^(src/(?!risk)|schema|models|workers)' } },
    { name: 'risk-no-infrastructure', severity: 'error', from: { path: '^src/risk' }, to: { path: 'node_modules/(graphql|type-graphql|mongoose|@typegoose|bullmq|ioredis|fastify)' } },
    { name: 'models-import-nothing-of-ours', severity: 'error', from: { path: '^models' }, to: { path: '^(src|schema|workers)' } },
    { name: 'models-no-graphql', severity: 'error', from: { path: '^models' }, to: { path: 'node_modules/(graphql|type-graphql)/' } },
    { name: 'ciphers-know-nothing-of-us', severity: 'error', comment: 'They can be read and tested by themselves.', from: { path: '^src/protection/(aes-gcm|blind-index|field-cipher|key-wrap|master-keys)' }, to: { pathNot: '^(crypto|node:crypto|src/errors|src/protection/(aes-gcm|errors))' } },
    { name: 'services-below-schema', severity: 'error', from: { path: '^src/(patients|jobs|risk|events|auth|audit|protection)' }, to: { path: '^(schema|workers|src/(http|embedded|commands|cli|app))' } },
    { name: 'schema-and-workers-apart', severity: 'error', from: { path: '^schema' }, to: { path: '^workers' } },
    { name: 'workers-and-schema-apart', severity: 'error', from: { path: '^workers' }, to: { path: '^(schema|src/http)' } },
    { name: 'embedded-only-from-the-command-line', severity: 'error', from: { path: '^(src/(?!commands|cli|embedded)|schema|workers|models)' }, to: { path: '^src/embedded' } },
    { name: 'nothing-imports-the-command-line', severity: 'error', from: { pathNot: '^src/(cli|commands)' }, to: { path: '^src/(cli|commands)' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
