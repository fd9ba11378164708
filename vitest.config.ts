import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // swc, not the default transformer: type-graphql and Typegoose read the types that decorators emit.
  plugins: [swc.vite({ module: { type: 'es6' } })],
  // Two copies of graphql (ESM and CommonJS) would refuse each other's types.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['reflect-metadata', 'test/support/no-console.ts', 'test/support/modules-from-build.ts'],
    testTimeout: 90_000,
    // Long, because a busy machine is no failure.
    expect: { poll: { timeout: 40_000 } },
    hookTimeout: 120_000,
    maxWorkers: 3,
    // Files of one worker share its modules: loading MongoDB's driver, GraphQL and ONNX Runtime for each file took
    // longer than the tests themselves.
    isolate: false,
  },
});
