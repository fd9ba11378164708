import { buildSync } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles a program for browsers. @returns its text, and the files and packages in it */
function bundle(program: string): { text: string; inputs: string[] } {
  const { outputFiles, metafile } = buildSync({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['@apollo/client', '@urql/core', 'graphql'],
    write: false,
    metafile: true,
  });
  const used = Object.values(metafile.outputs)[0]!.inputs;
  return {
    text: outputFiles[0]!.text,
    inputs: Object.keys(used).filter((name) => used[name]!.bytesInOutput > 0),
  };
}
const everything = "export { createClient, createSession, webStore, submit, watchJob } from './src/client/index.js';";

test('the functions of the client have less than 6 kB when they are compressed, and need no package', () => {
  const { text, inputs } = bundle(everything);
  const functions = text.replaceAll(/"(?:query|mutation|subscription) [^"]*"/g, '""');
  expect(gzipSync(functions, { level: 9 }).length).toBeLessThan(6000);
  // With the documents that these functions send.
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(6300);
  expect(inputs.filter((name) => name.includes('node_modules'))).toEqual([]);
});

test('a bundler drops what a program does not use', () => {
  const { text, inputs } = bundle("export { createClient } from './src/client/index.js';");
  expect(text).not.toContain('submitScoringJob');
  expect(inputs.join(' ')).not.toMatch(/session|submit|apollo|urql/);
  expect(bundle("export { submit } from './src/client/index.js';").inputs.join(' ')).not.toContain('socket');
  expect(bundle("export { ViewerDocument } from './src/client/index.js';").text).not.toContain('scoringJob');
});

test.each([
  ['apollo', 'riskGraphLink'],
  ['urql', 'riskGraphExchange'],
])('the adapter for %s needs nothing of the client but types', (name, exported) => {
  const { text, inputs } = bundle(`export { ${exported} } from './src/client/${name}.js';`);
  expect(inputs.join(' ')).not.toMatch(/session|socket|node_modules/);
  expect(gzipSync(text).length).toBeLessThan(600);
});
