import { Command } from 'commander';
import { RiskModelsDocument, ViewerDocument, PredictionCreatedDocument } from '../client/generated/graphql.js';
import { apiClient } from './api-client.js';
import { GraphqlRequestError } from '../client/errors.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import { runChecks, type Check } from './checks.js';
import { expectUnpublished, readHealth } from './health-pages.js';
import { requireToken, tokenHelp, tokenOption } from './given-token.js';

/** The deployment as a caller and, where that is another address, as an operator reaches it. */
interface Addresses {
  readonly url: string;
  /** An address inside, where health is answered and which callers do not reach. */
  readonly healthUrl?: string;
}

/** `riskgraph verify`: checks a running deployment. It only reads. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('check a running deployment, one line per check; exits 1 if one fails')
    .requiredOption('--url <url>', 'the deployment as callers reach it, e.g. https://riskgraph.example.org')
    .option(
      '--health-url <url>',
      'an address inside, where health is answered, e.g. http://10.0.0.5:4000; then --url must not publish it',
    )
    .option(tokenOption, `an access token; ${tokenHelp}`)
    .action(async ({ token, ...addresses }: Addresses & { readonly token?: string }) => {
      const client = apiClient(addresses.url, await requireToken(token));
      const anonymous = apiClient(addresses.url);
      try {
        await runChecks(checks(addresses, client, anonymous));
      } finally {
        await Promise.all([client.close(), anonymous.close()]);
      }
    });
}

function checks(addresses: Addresses, client: GraphqlClient, anonymous: GraphqlClient): Check[] {
  return [
    ...healthChecks(addresses),
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
        if (riskModels.length === 0)
          throw new Error('the deployment serves no risk model: check RISK_MODELS_DIRECTORY');
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

function healthChecks({ url, healthUrl }: Addresses): Check[] {
  if (healthUrl === undefined)
    return healthPaths.map((path) => ({
      name: `GET ${path}`,
      run: () => readHealth(new URL(path, url), 'may be hidden'),
    }));
  const inside = healthPaths.map((path) => ({
    name: `GET ${path} inside`,
    run: () => readHealth(new URL(path, healthUrl), 'must be there'),
  }));
  if (new URL(url).origin === new URL(healthUrl).origin) return inside;
  const outside = ['/health', '/metrics'].map((path) => ({
    name: `${path} is not published`,
    run: () => expectUnpublished(new URL(path, url)),
  }));
  return [...inside, ...outside];
}
