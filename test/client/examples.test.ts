import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const system = await startSystem();
const token = await system.token('CLINICIAN');

/** Runs an example. @returns what it prints */
function run(file: string, parameters: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [file, ...parameters], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data.toString()));
  child.stderr.on('data', (data: Buffer) => output.push(data.toString()));
  return new Promise((resolve) => child.on('close', () => resolve(output.join(''))));
}

test.each([
  ['examples/plain/node.mjs', []],
  ['examples/run.mjs', ['plain']],
  ['examples/run.mjs', ['apollo-react']],
  ['examples/run.mjs', ['urql']],
])('%s %s shows the risk of a patient', async (file, page) => {
  const { mrn } = await patient(await system.client('CLINICIAN'));
  expect(await run(file, [...page, system.url, token, mrn!])).toMatch(/^risk 0\.\d{3}, band [A-Z_]+$/m);
});
