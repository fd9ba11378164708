import { deepStrictEqual } from 'node:assert';
import { Types, type Connection } from 'mongoose';
import { PatientsDocument, type PredictionFieldsFragment } from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { agreement } from './agreement.js';
import { pollFor, startFlask, type FlaskPrediction } from './flask.js';
import { score } from './jobs.js';
import { peerDatabase, startNodePeer, type PeerSettings } from './peers.js';
import { listQuery, patientQuery } from './reads.js';

/** A RiskGraph that runs, and what its caller needs. */
interface Ours {
  readonly url: string;
  readonly token: string;
  readonly client: GraphqlClient;
}

/** Scores each patient once, in order. */
async function scoreEach<T>(ids: readonly string[], one: (id: string) => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (const id of ids) found.push(await one(id));
  return found;
}

/** The predictions of the first patients. The bench reads them again and again. */
export const ourPredictions = (client: GraphqlClient, ids: readonly string[]): Promise<PredictionFieldsFragment[]> =>
  scoreEach(ids, (id) => score(client, id));

/** Copies the patients to the peers' database, in plain text, as the API answers them. */
export async function copyPatients(client: GraphqlClient, database: Connection): Promise<void> {
  const { patients } = await client.request(PatientsDocument, { first: 500 });
  const rows = patients.edges.map(({ node: { id, mrn, givenName, familyName, birthDate, sex, features } }) => ({
    _id: new Types.ObjectId(id),
    ...{ mrn, givenName, familyName, birthDate, sex },
    features: features!.map(({ code, value, unit }) => ({ code, value, unit })),
  }));
  await database.useDb(peerDatabase).collection('patients').insertMany(rows);
}

/**
 * Starts each peer once, and checks that it answers as RiskGraph does: the list, a patient, and the predictions.
 * @returns the peer's predictions, and the largest differences in words
 * @throws Error when an answer differs
 */
export async function checkPeers(
  ours: Ours,
  settings: PeerSettings,
  predictions: readonly PredictionFieldsFragment[],
): Promise<{ readonly predictions: readonly FlaskPrediction[]; readonly found: string }> {
  const id = settings.patientIds[0]!;
  const [list, patient] = [{ query: listQuery }, { query: patientQuery, variables: { id } }];
  const [ourList, ourPatient] = [await ask(ours, list), await ask(ours, patient)];
  for (const library of ['mercurius', 'apollo'] as const) {
    const { url, stop } = await startNodePeer(library, settings);
    const peer = { url, token: settings.token };
    deepStrictEqual(await ask(peer, list), ourList);
    deepStrictEqual(await ask(peer, patient), ourPatient);
    await stop();
  }
  const flask = await startFlask(settings);
  try {
    const { patients } = ourList as { patients: { edges: readonly { node: unknown }[] } };
    deepStrictEqual(
      await flask.get('/patients?first=50'),
      patients.edges.map(({ node }) => node),
    );
    deepStrictEqual({ patient: await flask.get(`/patients/${id}`) }, ourPatient);
    const theirs = await scoreEach(settings.patientIds.slice(0, predictions.length), async (patientId) =>
      pollFor(flask, await flask.submit(patientId), 5),
    );
    return { predictions: theirs, found: agreement(predictions, theirs) };
  } finally {
    await flask.stop();
  }
}

/** Sends a GraphQL request. @returns its data */
async function ask({ url, token }: Pick<Ours, 'url' | 'token'>, body: object): Promise<unknown> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const { data, errors } = (await answer.json()) as { data?: unknown; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}
