import { PredictionsDocument } from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';

/** A kind of reading: bodies of requests that take turns, and the connections that send them. */
interface ReadWork {
  readonly work: string;
  readonly bodies: readonly string[];
  readonly connections: number;
}

const patientFields = 'id mrn givenName familyName birthDate sex features { code value unit }';
const listQuery = `query Patients { patients(first: 50) { edges { node { ${patientFields} } } } }`;
const patientQuery = `query Patient($id: ID!) { patient(id: $id) { ${patientFields} } }`;
const predictionQuery =
  'query Prediction($id: ID!) { prediction(id: $id) { id createdAt probability riskBand modelId modelVersion ' +
  'inputs { code value unit } explanation { method baseValue outputValue additivityError contributions { ' +
  'feature { code label } inputValue value } } } }';

/** The kinds of reading of `bench/interactive.ts`. At least one prediction must be stored. */
export async function readWorks(client: GraphqlClient, patientIds: readonly string[]): Promise<ReadWork[]> {
  const { predictions } = await client.request(PredictionsDocument, { first: 100 });
  const bodies = (query: string, ids: readonly string[]): string[] =>
    ids.map((id) => JSON.stringify({ query, variables: { id } }));
  return [
    {
      work: 'list of 50 patients with 13 features, 20 connections',
      bodies: [JSON.stringify({ query: listQuery })],
      connections: 20,
    },
    { work: 'one patient, 32 connections', bodies: bodies(patientQuery, patientIds), connections: 32 },
    {
      work: 'one prediction with its explanation, 32 connections',
      bodies: bodies(
        predictionQuery,
        predictions.edges.map(({ node }) => node.id),
      ),
      connections: 32,
    },
  ];
}
