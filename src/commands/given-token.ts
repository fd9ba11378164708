import { StartupError } from '../errors.js';
import { loadEnvironmentFile } from './environment.js';
import { readAll } from './password-prompt.js';

/** How the option reads in `--help`. */
export const tokenOption = '--token <token>';
export const tokenHelp =
  '"-" reads it from standard input; default: RISKGRAPH_TOKEN. As an argument everybody on this machine can read it in the list of processes';

/**
 * The access token that the person at the terminal gave: as `--token`, on standard input (`--token -`) or in RISKGRAPH_TOKEN.
 * Undefined when none was given.
 * @throws StartupError when standard input was to hold one and does not
 */
export async function givenToken(option: string | undefined): Promise<string | undefined> {
  if (option === '-') return (await readAll(process.stdin)).trim() || missing();
  loadEnvironmentFile();
  return option ?? (process.env.RISKGRAPH_TOKEN || undefined);
}

/** As `givenToken`, where there is no going on without one. @throws StartupError when none was given */
export const requireToken = async (option: string | undefined): Promise<string> =>
  (await givenToken(option)) ?? missing();

function missing(): never {
  throw new StartupError(
    'No access token was given: set RISKGRAPH_TOKEN, or send one to standard input with --token -.',
  );
}
