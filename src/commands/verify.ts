import { Command } from 'commander';
import { RiskModelsDocument, ViewerDocument, PredictionCreatedDocument } from '../client/generated/graphql.js';
import { apiClient } from './api-client.js';
import { checkBackup } from './backup-check.js';
import { GraphqlRequestError } from '../client/errors.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import type { Config } from '../config/config.js';
import { readRuntime } from '../embedded/data-directory.js';
import { StartupError } from '../errors.js';
import { noModelServed } from '../monitoring/dependencies.js';
import { notChecked, runChecks, type Check } from './checks.js';
import { cleaningUp } from './clean-up.js';
import { checkConsole } from './console-check.js';
import { commandConfig, wholeNumber } from './environment.js';
import { frontChecks, frontFailure } from './front-checks.js';
import { expectUnpublished, readHealth } from './health-pages.js';
import { requireToken, tokenHelp, tokenOption } from './given-token.js';
import { connectLocalDatabase, type LocalDatabase } from './local-access.js';
import { logCheck } from './log-check.js';
import { monitoringChecks, type MonitoringAddresses } from './monitoring-checks.js';
import { checkQueuePage } from './queue-page-check.js';
import { startTrial, type Trial } from './trial.js';

/** The deployment as a caller and, where that is another address, as an operator reaches it. */
interface Addresses {
  readonly url: string;
  /** An address inside, where health is answered and which callers do not reach. */
  readonly healthUrl?: string;
}

/**
 * `riskgraph verify`: the list of checks after a deployment. It reads. Where it has the settings of the deployment it
 * also scores a synthetic patient, in an organization that it makes and removes again.
 */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('check a running deployment, one line per check; exits 1 if one fails')
    .requiredOption('--url <url>', 'the deployment as callers reach it, e.g. https://riskgraph.example.org')
    .option(
      '--health-url <url>',
      'an address inside, where health is answered, e.g. http://10.0.0.5:4000; then --url must not publish it',
    )
    .option('--prometheus-url <url>', 'the Prometheus that should scrape it, e.g. http://10.0.0.7:9090')
    .option('--alertmanager-url <url>', 'its Alertmanager, e.g. http://10.0.0.7:9093')
    .option('--backup-hours <number>', 'greatest age of the last backup', wholeNumber(1, 8_760), 26)
    .option('--read-only', 'make no organization, and score no patient')
    .option(tokenOption, `an access token; ${tokenHelp}`)
    .action(async ({ token, ...options }: VerifyOptions) => {
      const client = apiClient(options.url, await requireToken(token));
      const anonymous = apiClient(options.url);
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      let trial: StartedTrial | undefined;
      let told = false;
      await cleaningUp(
        async () => {
          const failure = await frontFailure(options.url);
          trial = await tryToStart(config, options, failure === undefined);
          const { checks, database, isMade, remove } = trial;
          /** Checks that ask the address of callers: without it, each would only say the same once more. */
          const ofFront = (asking: readonly Check[]): readonly Check[] =>
            failure ? asking.map(({ name }) => notChecked(name, notReached)) : asking;
          const removal: Check = {
            name: 'the trial is removed',
            run() {
              told = true;
              return remove();
            },
          };
          const { inside, outside } = healthChecks(options);
          await runChecks([
            ...(failure ? [{ name: 'the address of callers', run: () => Promise.reject(failure) }] : []),
            ...inside,
            ...ofFront([...outside, ...callerChecks(client, anonymous)]),
            ...checks,
            ...(isMade ? [removal] : []),
            ...monitoringChecks(options),
            { name: 'the last backup is young enough', run: () => checkBackup(database, config, options.backupHours) },
            ...ofFront([
              { name: 'the queue page', run: () => checkQueuePage(options) },
              { name: 'the console', run: () => checkConsole(options.url) },
              logCheck(options.url, config),
              ...frontChecks(options.url),
            ]),
          ]);
        },
        async () => {
          await trial?.remove().catch((error: unknown) => {
            if (!told) throw error;
          });
          await Promise.all([client.close(), anonymous.close(), trial?.database?.close()]);
        },
      );
    });
}

interface VerifyOptions extends Addresses, MonitoringAddresses {
  readonly token?: string;
  readonly readOnly?: boolean;
  readonly backupHours: number;
}

/** A trial that was started, or the reason why there is none, as a line of the list. */
interface StartedTrial extends Trial {
  /** False: there is nothing to remove. */
  readonly isMade: boolean;
  /** Undefined where the settings of the deployment are not. */
  readonly database: LocalDatabase | undefined;
}

const notReached = 'the address of callers cannot be reached';

/** @param reached whether the deployment answers: else a trial would be made for nothing */
async function tryToStart(config: Config, { url, readOnly }: VerifyOptions, reached: boolean): Promise<StartedTrial> {
  let database: LocalDatabase | undefined;
  const none = (check: Check): StartedTrial => ({ checks: [check], remove: async () => '', isMade: false, database });
  const name = 'a synthetic patient is scored';
  try {
    if (!config.mongoUri && !(await readRuntime(config.dataDirectory)))
      return none(notChecked(name, 'the settings of the deployment (MONGO_URI, SECRET_KEY) are not here'));
    database = await connectLocalDatabase(config);
    if (readOnly) return none(notChecked(name, '--read-only was given'));
    if (!reached) return none(notChecked(name, notReached));
    return { ...(await startTrial(config, database, url)), isMade: true, database };
  } catch (error) {
    return none({ name, run: () => Promise.reject(error as Error) });
  }
}

function callerChecks(client: GraphqlClient, anonymous: GraphqlClient): Check[] {
  return [
    {
      name: 'access token',
      run: async () => {
        const { viewer } = await client.request(ViewerDocument);
        return `${viewer.role} of ${viewer.organization.slug}`;
      },
    },
    {
      name: 'anonymous query is refused',
      run: () => expectRefusal(() => anonymous.request(ViewerDocument)),
    },
    {
      name: 'anonymous subscription is refused',
      run: () => expectRefusal(() => anonymous.subscribe(PredictionCreatedDocument, {}).next()),
    },
    {
      name: 'risk models',
      run: async () => {
        const { riskModels } = await client.request(RiskModelsDocument);
        if (riskModels.length === 0) throw new StartupError(noModelServed);
        return riskModels.map(({ id, sha256 }) => `${id} (${sha256.slice(0, 12)})`).join(', ');
      },
    },
  ];
}

async function expectRefusal(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof GraphqlRequestError && error.code === 'UNAUTHENTICATED') return 'UNAUTHENTICATED';
    throw error;
  }
  throw new Error('it was answered: this deployment serves callers without a token; take it off the network');
}

const healthPaths = ['/health/live', '/health/ready', '/health'];

/** The checks of health: those of an address inside, and those of the address of callers. */
function healthChecks({ url, healthUrl }: Addresses): { readonly inside: Check[]; readonly outside: Check[] } {
  if (healthUrl === undefined) {
    const outside = healthPaths.map((path) => ({
      name: `GET ${path}`,
      run: () => readHealth(new URL(path, url), 'may be hidden'),
    }));
    return { inside: [], outside };
  }
  const inside = healthPaths.map((path) => ({
    name: `GET ${path} inside`,
    run: () => readHealth(new URL(path, healthUrl), 'must be there'),
  }));
  if (new URL(url).origin === new URL(healthUrl).origin) return { inside, outside: [] };
  const outside = ['/health', '/metrics'].map((path) => ({
    name: `${path} is not published`,
    run: () => expectUnpublished(new URL(path, url)),
  }));
  return { inside, outside };
}
