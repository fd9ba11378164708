import type { GraphqlClient } from '../../src/client/graphql-client.js';

const patientFields = 'id mrn givenName familyName birthDate sex features { code value unit }';
export const listQuery = `query Patients { patients(first: 50) { edges { node { ${patientFields} } } } }`;
/**
 * Bodies of requests for the list: the first pages of it, one after the other.
 * @param pages 1: `listQuery`, as the peers have it
 */
export async function listBodies(client: GraphqlClient, pages: number): Promise<string[]> {
  if (pages === 1) return [JSON.stringify({ query: listQuery })];
  const query = `query Patients($after: String) { patients(first: 50, after: $after) { pageInfo { endCursor } edges { node { ${patientFields} } } } }`;
  const bodies: string[] = [];
  for (let after: string | null = null; bodies.length < pages;) {
    bodies.push(JSON.stringify({ query, variables: { after } }));
    const page: { patients: { pageInfo: { endCursor: string | null } } } = await client.request(query, {
      after,
    });
    after = page.patients.pageInfo.endCursor;
  }
  return bodies;
}

export const patientQuery = `query Patient($id: ID!) { patient(id: $id) { ${patientFields} } }`;
export const predictionQuery =
  'query Prediction($id: ID!) { prediction(id: $id) { id createdAt probability riskBand modelId modelVersion ' +
  'inputs { code value unit } explanation { method baseValue outputValue additivityError contributions { ' +
  'feature { code label } inputValue value } } } }';

/** The bodies of requests for one query, one per id. */
export const queryBodies = (query: string, ids: readonly string[]): string[] =>
  ids.map((id) => JSON.stringify({ query, variables: { id } }));
