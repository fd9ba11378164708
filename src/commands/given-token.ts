import { StartupError } from '../errors.js';
import { loadEnvironmentFile } from './environment.js';
import { readAll } from './password-prompt.js';

/** The flags of the option, and its text in `--help`. */
export const tokenOption = '--token <token>';
export const tokenHelp =
  '"-" reads it from standard input; default: RISKGRAPH_TOKEN. Other users of this machine can read an argument in ' +
  'the list of processes';

/**
 * Reads the access token that the operator gave: as `--token`, on standard input (`--token -`) or in RISKGRAPH_TOKEN.
 * @returns undefined when none was given
 * @throws StartupError when standard input should contain one and is empty
 */
export async function givenToken(option: string | undefined): Promise<string | undefined> {
  if (option === '-') return (await readAll(process.stdin)).trim() || missing();
  loadEnvironmentFile();
  return option ?? (process.env.RISKGRAPH_TOKEN || undefined);
}

/** Reads the access token of a command that cannot run without one. @throws StartupError when none was given */
export const requireToken = async (option: string | undefined): Promise<string> =>
  (await givenToken(option)) ?? missing();

function missing(): never {
  throw new StartupError(
    'No access token was given: set RISKGRAPH_TOKEN, or send one to standard input with --token -.',
  );
}
