import { spawn } from 'node:child_process';
import { moduleEntry } from './source-modules.js';

/** The end of a command: its exit code, and the last line that it wrote to standard error. */
interface CommandEnd {
  readonly code: number | null;
  readonly lastError: string;
}

/** Longest text of standard error that is kept, characters. */
const keptText = 4_000;

/**
 * Runs `riskgraph` as a process of its own, with the environment of this one. It takes no memory and no time of this
 * process.
 * @param stop ends the command with SIGTERM
 */
export function runOwnCommand(words: readonly string[], stop: AbortSignal): Promise<CommandEnd> {
  const { path, execArgv, environment } = moduleEntry(new URL('../cli.js', import.meta.url));
  const child = spawn(process.execPath, [...execArgv, path, ...words], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: stop,
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text = (text + more).slice(-keptText)));
  return new Promise((resolve) => {
    child.on('error', () => undefined);
    child.on('close', (code) => resolve({ code, lastError: text.trim().split('\n').at(-1) ?? '' }));
  });
}
