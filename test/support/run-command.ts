import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The built command line. The global setup brings the build up to date. */
export const cli = join(root, 'dist/src/cli.js');

/** Variables of this process that a child needs even if a test sets all settings itself. */
const bareEnvironment: Readonly<Record<string, string | undefined>> = {
  PATH: process.env.PATH,
  TMPDIR: process.env.TMPDIR,
  // Names the run of the tests that a process belongs to: see scripts/leftovers.mjs.
  RISKGRAPH_TEST_RUN: process.env.RISKGRAPH_TEST_RUN,
};

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs `riskgraph` as `runWholeCommand` does. Its errors are without the line that names the database. */
export async function runCommand(...given: Parameters<typeof runWholeCommand>): Promise<Outcome> {
  const { errors, ...outcome } = await runWholeCommand(...given);
  return { ...outcome, errors: errors.replace(/^database: .*\n/gm, '') };
}

/**
 * Runs `riskgraph` as a person at a terminal does.
 * @param environment all its settings
 * @param input the text on its standard input
 * @param folder the folder in which it runs. @defaultValue that of the package
 */
export async function runWholeCommand(
  argumentsGiven: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  input: string | Buffer = '',
  folder = root,
): Promise<Outcome> {
  const child = spawn(process.execPath, [cli, ...argumentsGiven], {
    cwd: folder,
    env: { ...bareEnvironment, ...environment },
  });
  // A command that needs no input may end before it gets the input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [output, errors]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output: output.join(''), errors: errors.join('') };
}
