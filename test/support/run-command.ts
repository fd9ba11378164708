import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * Runs `riskgraph` as one at a terminal does.
 * @param environment all that it has, beside PATH
 * @param input what its standard input holds
 */
export async function runCommand(
  argumentsGiven: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  input = '',
): Promise<Outcome> {
  const command = ['--import', '@swc-node/register/esm-register', join(root, 'src/cli.ts'), ...argumentsGiven];
  const child = spawn(process.execPath, command, { cwd: root, env: { PATH: process.env.PATH, ...environment } });
  // Who needs no input may have ended before it came.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [output, errors]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output: output.join(''), errors: errors.join('') };
}
