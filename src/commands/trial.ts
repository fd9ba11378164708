import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Role, type Organization } from '../../models/index.js';
import type { GraphqlRequestError } from '../client/errors.js';
import {
  CreatePatientDocument,
  DeletePatientDocument,
  PredictionCreatedDocument,
  PredictionDocument,
  RiskModelsDocument,
  type PredictionCreatedSubscription,
  type PredictionFieldsFragment,
  type RiskModelsQuery,
} from '../client/generated/graphql.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import { submit, type FollowedJob, type JobEvent } from '../client/submit.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { createAccessTokens } from '../identity/access-token.js';
import { noModelServed } from '../monitoring/dependencies.js';
import { withinTime } from '../process/within-time.js';
import { apiClient } from './api-client.js';
import { NotCheckedError, type Check } from './checks.js';
import type { LocalDatabase } from './local-access.js';
import { localSecretKey } from './secret-key.js';
import { syntheticPatients, type SyntheticFeature } from './synthetic-patients.js';
import { makeTrialOrganization, removeLeftTrials, removeTrialOrganization } from './trial-organization.js';

/** Longest time from a submission to its result, milliseconds. */
const patienceMs = 60_000;
/** Time after which a second prediction is made, because the first was not announced. Milliseconds. */
const secondTryMs = 2_000;
/** The time for which the trial's token is valid, seconds. */
const tokenSeconds = 600;
/** Most difference between the sum of the contributions and the model's output. */
const additivityTolerance = 1e-6;

type RiskModel = RiskModelsQuery['riskModels'][number];

/** A prediction that this release can have made. */
const predictionForm = z.object({
  id: z.string().regex(/^[0-9a-f]{24}$/),
  createdAt: z.iso.datetime(),
  value: z.number(),
  probability: z.number().min(0).max(1).nullish(),
  rawOutput: z.number(),
  riskBand: z.string().min(1),
  modelSha256: z.string().regex(/^[0-9a-f]{64}$/),
  inputs: z.array(z.object({ code: z.string(), value: z.number().nullish(), unit: z.string() })).min(1),
  explanation: z.object({
    method: z.string(),
    outputSpace: z.string(),
    baseValue: z.number(),
    outputValue: z.number(),
    contributions: z.array(z.object({ value: z.number() })).min(1),
  }),
});

/** Scores a synthetic patient in an organization of its own. */
export interface Trial {
  /** The checks, in their order. Each rests on those before it. */
  readonly checks: readonly Check[];
  /** Removes the organization and everything in it. A second call removes nothing. */
  remove(): Promise<string>;
}

/**
 * Makes an organization for a trial, and signs a token of a CLINICIAN of it for ten minutes.
 * @throws an error of MongoDB
 */
export async function startTrial(config: Config, { models }: LocalDatabase, url: string): Promise<Trial> {
  const left = await removeLeftTrials(models);
  // Read first: a failure after it would leave the organization behind.
  const secretKey = config.secretKey ?? (await localSecretKey(config.dataDirectory));
  const organization = await makeTrialOrganization(models);
  const token = await tokenOf(secretKey, organization);
  const client = apiClient(url, token);
  let removing: Promise<string> | undefined;

  async function remove(): Promise<string> {
    await client.close();
    const documents = await removeTrialOrganization(models, organization);
    const others = left.length > 0 ? `, and before that ${left.join(', ')} of killed trials` : '';
    return `${organization.slug} and its ${documents} documents${others}`;
  }
  return { checks: trialChecks(client), remove: () => (removing ??= remove()) };
}

function tokenOf(secretKey: string, { _id }: Organization): Promise<string> {
  const identity = { username: 'verify', role: Role.CLINICIAN, organizationId: _id.toHexString() };
  return createAccessTokens(secretKey).sign(identity, tokenSeconds);
}

/** The facts that the checks of a trial have found. */
interface Findings {
  model?: RiskModel;
  patientId?: string;
  events?: readonly JobEvent[];
  prediction?: PredictionFieldsFragment;
  /** The id of the first prediction that the subscription told of. */
  announced?: Promise<string>;
}

const notAnnounced = 'predictionCreated told of no prediction: look into the log of the API';

function trialChecks(client: GraphqlClient): Check[] {
  const found: Findings = {};
  const known = <K extends keyof Findings>(key: K): NonNullable<Findings[K]> => {
    const value = found[key];
    if (value === undefined) throw new NotCheckedError('a check before it failed');
    return value;
  };
  return [
    {
      name: 'a patient is stored',
      async run() {
        const model = await defaultModel(client);
        const input = patientFor(model);
        const { createPatient } = await client.request(CreatePatientDocument, { input }).catch(explainRefusal);
        Object.assign(found, { model, patientId: createPatient.id });
        return `synthetic, with ${input.features.length} features of ${model.id}`;
      },
    },
    {
      name: 'a worker scores it',
      async run() {
        const patientId = known('patientId');
        found.announced = follow(client, patientId);
        const { job, events } = await score(client, { patientId, modelId: known('model').modelId });
        Object.assign(found, { events, prediction: job.prediction ?? undefined });
        const between = (from: string, to: string): number => Date.parse(to) - Date.parse(from);
        const waited = between(job.submittedAt, job.startedAt!);
        return `${job.state}, attempt ${job.attempts}, waited ${waited} ms, ran ${between(job.startedAt!, job.finishedAt!)} ms`;
      },
    },
    {
      name: 'subscriptions deliver',
      async run() {
        const events = known('events');
        const states = [...new Set(events.map(({ job }) => job.state))];
        let expected = events[0]!.sequence;
        for (const { sequence, collapsed } of events.slice(1)) {
          expected += 1 + collapsed;
          if (sequence !== expected)
            throw new StartupError(`change ${expected} of the job was not sent: look into the log of the API`);
        }
        const again = (): unknown => score(client, { patientId: known('patientId'), modelId: known('model').modelId });
        // The first prediction may have come before the subscription to it had begun.
        const soon = await Promise.race([known('announced'), delay(secondTryMs)]);
        if (soon === undefined) await Promise.all([again(), withinPatience(known('announced'), () => notAnnounced)]);
        return `${events.length} events without a gap (${states.join(', ')}), and the prediction was announced`;
      },
    },
    {
      name: 'the prediction has the right format',
      async run() {
        const checked = predictionForm.safeParse(known('prediction'));
        if (checked.error) {
          const places = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
          throw new StartupError(`${places.join('; ')}: API and command may be of different releases`);
        }
        const { inputs, modelSha256 } = checked.data;
        return `${inputs.length} inputs, model ${modelSha256.slice(0, 12)}`;
      },
    },
    {
      name: 'its explanation adds up',
      async run() {
        const { explanation } = known('prediction');
        if (!explanation) throw new StartupError('there is none: the model file cannot explain itself; see its card');
        const { baseValue, outputValue, contributions } = explanation;
        const sum = contributions.reduce((total, { value }) => total + value, baseValue);
        const difference = Math.abs(sum - outputValue);
        if (!(difference <= additivityTolerance * Math.max(1, Math.abs(outputValue))))
          throw new StartupError(`it is ${difference} off: run "riskgraph model check", and retire the version`);
        return `base value and ${contributions.length} contributions, ${difference.toExponential(1)} off`;
      },
    },
    {
      name: 'it is stored, and computed again it is the same',
      async run() {
        const { id, ...made } = known('prediction');
        const { prediction } = await client.request(PredictionDocument, { id });
        if (prediction?.value !== made.value || prediction.rawOutput !== made.rawOutput)
          throw new StartupError('the stored prediction is missing or another one: look into the log of the worker');
        return verified(client, id);
      },
    },
    {
      name: 'the patient is erased',
      async run() {
        const id = known('patientId');
        await client.request(DeletePatientDocument, { id });
        const { prediction } = await client.request(PredictionDocument, { id: known('prediction').id });
        if (prediction) throw new StartupError('its prediction is still there');
        return 'and its prediction with it';
      },
    },
  ];
}

async function defaultModel(client: GraphqlClient): Promise<RiskModel> {
  const { riskModels } = await client.request(RiskModelsDocument).catch(explainRefusal);
  const model = riskModels.find(({ isDefault }) => isDefault) ?? riskModels[0];
  if (!model) throw new StartupError(noModelServed);
  return model;
}

/** Says why the API may refuse a token that was signed here. */
function explainRefusal(error: unknown): never {
  if ((error as Partial<GraphqlRequestError>).code === 'UNAUTHENTICATED')
    throw new StartupError(
      'the API refuses a token signed with the SECRET_KEY here: use the settings of the deployment',
    );
  throw error;
}

/** Invents the input of a patient whom the model can score. */
function patientFor({ features }: RiskModel) {
  const known = features.map(
    ({ code, kind, range, codes, missing }) =>
      ({
        code,
        kind,
        range: range ?? undefined,
        codes: codes ?? undefined,
        missing: { policy: missing.policy, value: missing.value ?? 0 },
      }) as SyntheticFeature,
  );
  const [patient] = syntheticPatients(1, 1, known, new Date());
  const { mrn, givenName, familyName, birthDate, sex, features: values } = patient!;
  const given = values.map(({ code, value }) => ({ code, value }));
  return { mrn, givenName, familyName, birthDate, sex, features: given };
}

async function score(
  client: GraphqlClient,
  input: { readonly patientId: string; readonly modelId: string },
): Promise<{ readonly job: FollowedJob; readonly events: readonly JobEvent[] }> {
  const events: JobEvent[] = [];
  const submission = submit(client, input);
  const read = async (): Promise<void> => {
    for await (const event of submission.progress) events.push(event);
  };
  const [job] = await withinPatience(Promise.all([submission.result, read()]), () => {
    const state = events.at(-1)?.job.state ?? 'not followed';
    return `the job is ${state} after ${patienceMs / 1_000} s: start a worker, or look into its log`;
  });
  return { job, events };
}

const withinPatience = <T>(work: Promise<T>, late: () => string): Promise<T> =>
  withinTime(work, patienceMs, () => {
    throw new StartupError(late());
  });

/** Follows the new predictions of a patient. @returns a promise of the first one's id */
function follow(client: GraphqlClient, patientId: string): Promise<string> {
  const first = client
    .subscribe(PredictionCreatedDocument, { patientId })
    .next()
    .then(({ value }) => (value as PredictionCreatedSubscription).predictionCreated.id);
  // The check that waits for it tells its error.
  first.catch(() => undefined);
  return first;
}

async function verified(client: GraphqlClient, id: string): Promise<string> {
  const { data, errors } = await client.execute({
    query: 'query Verify($id: ID!) { verifyPrediction(id: $id) { agrees differences modelServed } }',
    variables: { id },
  });
  // An allow-list may have no such query.
  if (errors) return 'stored as it was sent; not computed again, because the API refuses that query';
  const { agrees, differences } = (data as { verifyPrediction: { agrees: boolean; differences: string[] } })
    .verifyPrediction;
  if (!agrees)
    throw new StartupError(`computed again it differs in ${differences.join(', ')}: run "riskgraph model check"`);
  return 'every bit agrees';
}
